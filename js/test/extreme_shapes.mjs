// Axes that shrink to one or two pixels, and grow from one: computed, or refused with what it would
// need. Prints a line for each; for tests/core/test_limits.py.
//
//   node js/test/extreme_shapes.mjs
import assert from 'node:assert/strict';
import { SrOpsError, load, upscale } from '../index.js';

const REFUSAL = /would need .* SR_OPS_MAX|out of memory|more than 2\^40 elements/;

// The longest array of engines is 2^32 bytes, or longer; the system provides its zeros when read.
const lengths = [18, 28, 30, 31].flatMap((exponent) => [2 ** exponent, 2 ** exponent + 3]);
const shrunk = lengths.flatMap((n) => [1, 2].map((out) => [n, out]));
const grown = [28, 30, 31, 32, 33, 40, 41, 52].flatMap((exponent) => [[1, 2 ** exponent], [2, 2 ** exponent + 3]]);

await load();
for (const [from, to] of [...shrunk, ...grown]) {
  for (const along of [(n) => [1, n], (n) => [n, 1]]) {
    const source = new Uint8Array(from);
    let outcome = 'computed';
    try {
      const { data } = upscale(source, { shape: along(from), size: along(to), antialias: true });
      assert.ok(data.length === to && data.every((value) => value === 0));
    } catch (error) {
      if (!(error instanceof SrOpsError)) throw error;
      assert.match(error.message, REFUSAL);
      outcome = 'refused';
    }
    console.log(along(from), along(to), outcome);
  }
}
// And the next call works.
assert.deepEqual([...upscale(new Uint8Array([7, 7]), { shape: [1, 2], scale: 2 }).data], Array(8).fill(7));
console.log('alive');
