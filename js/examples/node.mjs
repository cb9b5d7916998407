// An array of floats, in Node: three planes of 64 x 96.
import { load, upscale } from 'sr-ops';

await load();
const planes = new Float32Array(3 * 64 * 96).fill(0.5);
const { data, shape } = upscale(planes, { shape: [3, 64, 96], scale: 2.7 });
console.log(shape, data.every((value) => Math.abs(value - 0.5) < 1e-6)); // [ 3, 172, 259 ] true
