// Runs tests/conformance/cases.json: prints what came out, for tests/conformance/test_front_ends.py.
//
//   node js/test/conformance.mjs tests/conformance/cases.json
import { readFileSync } from 'node:fs';
import { load, SrOpsError, upscale } from '../index.js';

const ARRAYS = { float32: Float32Array, uint8: Uint8Array };
// JSON has no number for these.
const number = (value) => (typeof value === 'string' ? { nan: NaN, inf: Infinity }[value] : value);

function run({ dtype, shape, scale, size, attributes, x = [] }) {
  const length = shape.reduce((product, extent) => product * extent, 1);
  const source = ARRAYS[dtype].from(x.length ? x : { length }, (value) => value ?? 0);
  return upscale(source, {
    shape,
    ...(scale && { scale: scale.map(number) }),
    ...(size && { size }),
    coordinateTransformationMode: attributes.coordinate_transformation_mode,
    cubicCoeffA: number(attributes.cubic_coeff_a),
    antialias: attributes.antialias,
    excludeOutside: attributes.exclude_outside,
    rounding: attributes.rounding,
  });
}

function refusal(request) {
  try {
    run(request);
    return null;
  } catch (error) {
    if (!(error instanceof SrOpsError)) throw error;
    return error.message;
  }
}

await load();
const { cases, bad } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const results = cases.map((request) => {
  const { data, shape } = run(request);
  return { shape, y: Array.from(data) };
});
console.log(JSON.stringify({ cases: results, bad: bad.map(refusal) }));
