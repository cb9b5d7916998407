// As check_flavours.py, for onnxruntime-web.
//
//   node flavours.mjs FOLDER
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const RUNS = 3;
const folder = process.argv[2];
// Resolved from where npm installed it, not from where this script lies.
const require = createRequire(join(process.cwd(), 'node_modules', 'resolve.js'));
const entry = join(require.resolve('onnxruntime-web'), '..', 'ort.node.min.mjs');
const ort = await import(pathToFileURL(entry).href);
ort.env.logLevel = 'fatal';
ort.env.wasm.numThreads = 1;

const { flavours, cases, timed, arrays } = JSON.parse(
  readFileSync(join(folder, 'flavours.json'), 'utf8'),
);
const tensor = ({ data, dims }) => new ort.Tensor('float32', Float32Array.from(data), dims);

async function judge(flavour, name, found) {
  const { x, scales, expected } = arrays[name];
  const feeds = { x: tensor(x), scales: tensor(scales) };
  let session, y;
  try {
    const model = readFileSync(join(folder, `${name}-${flavour}.onnx`));
    session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
    ({ y } = await session.run(feeds));
  } catch (error) {
    found.fails[name] = String(error).slice(-200);
    return;
  }
  if (y.dims.join() !== expected.dims.join()) {
    found.wrong[name] = `shape ${y.dims}`;
    return;
  }
  const off = y.data.reduce((most, v, i) => Math.max(most, Math.abs(v - expected.data[i])), 0);
  if (!(off <= 1e-4)) found.wrong[name] = `off by ${off.toPrecision(2)}`;
  if (name !== timed) return;
  found.ms = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const start = process.cpuUsage(); // other work on the machine counts less
    await session.run(feeds);
    const { user, system } = process.cpuUsage(start);
    found.ms = Math.min(found.ms, (user + system) / 1000);
  }
}

const report = { name: 'onnxruntime-web', version: ort.env.versions.web, flavours: {} };
for (const flavour of flavours) {
  report.flavours[flavour] = { wrong: {}, fails: {}, ms: null };
  for (const name of cases) await judge(flavour, name, report.flavours[flavour]);
}
console.log(JSON.stringify(report));
