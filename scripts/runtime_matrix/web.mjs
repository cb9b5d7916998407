// Runs the models of matrix_models.py in onnxruntime-web; prints the result as JSON.
//
//   node web.mjs FOLDER
//
// FOLDER/web.json holds the cases with their arrays. There are no custom-op libraries on the web:
// what runs is the function inside each model.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = process.argv[2];
// Resolved from where npm installed it, not from where this script lies.
const require = createRequire(join(process.cwd(), 'node_modules', 'resolve.js'));
const entry = join(require.resolve('onnxruntime-web'), '..', 'ort.node.min.mjs');
const ort = await import(pathToFileURL(entry).href);
ort.env.logLevel = 'fatal';

const halfToFloat = (bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

const ARRAYS = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  float16: (values) => Uint16Array.from(values), // bits
  uint8: (values) => Uint8Array.from(values),
  int8: (values) => Int8Array.from(values),
  int64: (values) => BigInt64Array.from(values.map(BigInt)),
  bool: (values) => Uint8Array.from(values),
};
const tensor = ({ dtype, dims, data }) => new ort.Tensor(dtype, ARRAYS[dtype](data), dims);
const numbers = (data) => Array.from(data, data instanceof Uint16Array ? halfToFloat : Number);

async function run({ name, tolerance, feed, expected }) {
  const model = readFileSync(join(folder, `${name}.onnx`));
  const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
  const inputs = Object.fromEntries(Object.entries(feed).map(([key, value]) => [key, tensor(value)]));
  const { Y } = await session.run(inputs);
  await session.release();
  if (Y.dims.join() !== expected.dims.join()) throw new Error(`shape ${Y.dims}`);
  if (Y.type !== expected.dtype) throw new Error(`type ${Y.type}`);
  const wanted = numbers(ARRAYS[expected.dtype](expected.data));
  const got = numbers(Y.data);
  const off = Math.max(...got.map((value, i) => Math.abs(value - wanted[i])));
  if (!(off <= tolerance)) throw new Error(`off by ${off}`);
}

const failures = {};
let passed = 0;
for (const item of JSON.parse(readFileSync(join(folder, 'web.json'), 'utf8'))) {
  try {
    await run(item);
    passed += 1;
  } catch (error) {
    failures[`function: ${item.name}`] = String(error);
  }
}
const report = {
  onnxruntime: `web-${ort.env.versions.web}`,
  with: `Node ${process.versions.node}`,
  no_library: 'none on the web',
  no_provider: 'none on the web',
  passed,
  failures,
};
console.log(JSON.stringify(report));
process.exit(Object.keys(failures).length ? 1 : 0);
