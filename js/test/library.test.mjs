// What the conformance cases do not show: forms of pictures, windows, tiles, workers, bad input.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  InvalidArgumentError,
  LoadError,
  OutOfMemoryError,
  UpscaleWorker,
  getVersion,
  load,
  outputSize,
  unload,
  upscale,
  upscaleInTiles,
} from '../index.js';
import { serve } from '../worker.js';

// Bytes and floats that any run makes alike.
const bytes = (length) => Uint8Array.from({ length }, (_, i) => (i * 7919 + (i >> 3)) & 255);
const floats = (length) => Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7));
const rgba = (width, height) => ({ data: bytes(4 * width * height), width, height });

test('nothing works before load, and everything after it', async () => {
  unload();
  assert.throws(() => upscale(rgba(4, 4), { scale: 2 }), LoadError);
  await assert.rejects(load(new Uint8Array([1, 2, 3])), LoadError);
  await assert.rejects(load(new URL('./missing.wasm', import.meta.url)), LoadError);
  await load();
  await load();
  assert.match(getVersion(), /^\d+\.\d+\.\d+$/);
});

test('the result has the form of the source', () => {
  const picture = upscale(rgba(5, 4), { scale: 2.7 });
  assert.deepEqual([picture.width, picture.height, picture.channels], [13, 10, 4]);
  assert.ok(picture.data instanceof Uint8Array && picture.data.length === 13 * 10 * 4);
  const clamped = upscale({ ...rgba(5, 4), data: new Uint8ClampedArray(80) }, { scale: 2 });
  assert.ok(clamped.data instanceof Uint8ClampedArray);
  assert.deepEqual(upscale(floats(6), { shape: [2, 3], scale: 2.7 }).shape, [5, 8]);
  assert.deepEqual(upscale(floats(6), { shape: [1, 2, 3], scale: [2, 1] }).shape, [1, 4, 3]);
  assert.deepEqual(
    upscale(floats(36), { shape: [2, 2, 3, 3], layout: 'NHWC', size: [4, 5] }).shape,
    [2, 4, 5, 3],
  );
  assert.deepEqual(upscale(floats(0), { shape: [0, 3, 4, 4], scale: 2 }).shape, [0, 3, 8, 8]);
  assert.deepEqual(outputSize(rgba(45, 1), { scale: 1.4 }), { height: 1, width: 63 });
});

test('channels side by side are resampled like planes', () => {
  const [height, width, channels] = [7, 11, 3];
  const planes = floats(height * width * channels);
  const pixels = planes.map((_, i) => planes[(i % channels) * height * width + Math.floor(i / channels)]);
  const byPlanes = upscale(planes, { shape: [channels, height, width], scale: 2.3 });
  const byPixels = upscale({ data: pixels, width, height }, { scale: 2.3 });
  const size = byPixels.width * byPixels.height;
  const expected = byPlanes.data.map((_, i) => byPlanes.data[(i % channels) * size + Math.floor(i / channels)]);
  assert.deepEqual(byPixels.data, expected);
});

test('a part of a larger buffer is read, and nothing else of it', () => {
  const whole = floats(40);
  const part = whole.subarray(7, 27);
  assert.deepEqual(
    upscale(part, { shape: [4, 5], scale: 2 }).data,
    upscale(part.slice(), { shape: [4, 5], scale: 2 }).data,
  );
});

const BAD = [
  [null, { scale: 2 }, /source/],
  [new Float64Array(4), { shape: [2, 2], scale: 2 }, /Float64Array.*Float32Array/],
  [{ data: [1, 2, 3], width: 1, height: 1 }, { scale: 2 }, /source\.data: got Array/],
  [{ data: bytes(10), width: 2, height: 2 }, { scale: 2 }, /10 elements.*2 x 2/],
  [{ data: bytes(12), width: 0, height: 2 }, { scale: 2 }, /source\.width: got 0/],
  [{ data: bytes(12), width: 2, height: 1.5 }, { scale: 2 }, /source\.height: got 1\.5/],
  [{ data: bytes(12), width: 2, height: 2, channels: 4 }, { scale: 2 }, /channels/],
  [rgba(2, 2), { scale: 2, shape: [2, 2] }, /shape: got \[2, 2\], expected none/],
  [floats(4), { scale: 2 }, /shape: got undefined/],
  [floats(4), { shape: [3, 2], scale: 2 }, /product is the array's, 4/],
  [floats(4), { shape: [4], scale: 2 }, /shape: got \[4\]/],
  [floats(4), { shape: [2, 2], layout: 'HWC', scale: 2 }, /layout: got "HWC", expected NCHW or NHWC/],
  [floats(0), { shape: [1, 1, 0, 4], scale: 2 }, /height and a width >= 1/],
  [rgba(2, 2), {}, /scale, size: got neither/],
  [rgba(2, 2), { scale: 2, size: [4, 4] }, /scale, size: got both/],
  [rgba(2, 2), { scale: '2' }, /scale: got "2"/],
  [rgba(2, 2), { scale: -1 }, /scale: got -1, expected a finite number > 0/],
  [rgba(2, 2), { scale: NaN }, /scale: got NaN/],
  [rgba(2, 2), { scale: 1e39 }, /scale: got 1e\+39/],
  [rgba(2, 2), { scale: 1e-46 }, /scale: got 1e-46/],
  [rgba(2, 2), { scale: [2, 2, 2] }, /scale: got \[2, 2, 2\]/],
  [rgba(2, 2), { scale: 0.3 }, /at least one pixel/],
  [rgba(2, 2), { scale: 1e9 }, /elements/],
  [rgba(2, 2), { size: [4] }, /size: got \[4\]/],
  [rgba(2, 2), { size: [4, 0.5] }, /size: got \[4, 0\.5\]/],
  [rgba(2, 2), { scale: 2, coordinateTransformationMode: 'bilinear' }, /got "bilinear", expected one of half_pixel,/],
  [rgba(2, 2), { scale: 2, cubicCoeffA: Infinity }, /cubicCoeffA: got Infinity/],
  [rgba(2, 2), { scale: 2, antialias: 1 }, /antialias: got 1, expected true or false/],
  [rgba(2, 2), { scale: 2, excludeOutside: 'yes' }, /excludeOutside: got "yes"/],
  [rgba(2, 2), { scale: 2, window: { top: 0, left: 0 } }, /window: got .*integers/],
  [rgba(2, 2), { scale: 2, window: { top: 3, left: 0, height: 2, width: 1 } }, /window/],
  [rgba(2, 2), { factor: 2 }, /options: got "factor"/],
];

test('what cannot be accepted is named, and changes nothing', () => {
  for (const [source, options, message] of BAD) {
    assert.throws(() => upscale(source, options), (error) => {
      assert.ok(error instanceof InvalidArgumentError, `${error}`);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual([...upscale(Uint8Array.of(0, 90), { shape: [1, 2], scale: [1, 2] }).data], [0, 20, 70, 99]);
});

test('a result beyond memory is refused, and the library goes on', async () => {
  assert.throws(() => upscale(floats(4), { shape: [2, 2], size: [40000, 30000] }), OutOfMemoryError);
  await assert.rejects(
    upscaleInTiles(floats(4), { shape: [2, 2], size: [2 ** 18, 2 ** 19] }),
    OutOfMemoryError,
  );
  assert.equal(upscale(floats(4), { shape: [2, 2], scale: 2 }).data.length, 16);
});

const VARIANTS = [
  { scale: 2.7 },
  { scale: [3, 1.3], coordinateTransformationMode: 'half_pixel_symmetric' },
  { size: [21, 90], excludeOutside: true },
  { scale: 0.4, antialias: true },
  { size: [50, 60], coordinateTransformationMode: 'align_corners', cubicCoeffA: -0.5 },
];

test('a given array takes the result', async () => {
  const source = rgba(9, 7);
  const expected = upscale(source, { scale: 2 });
  const out = new Uint8Array(expected.data.length);
  const result = upscale(source, { scale: 2, out });
  assert.ok(result.data === out);
  assert.deepEqual(result, expected);
  assert.ok((await upscaleInTiles(source, { scale: 2, out: out.fill(0), tileBytes: 500 })).data === out);
  assert.deepEqual(out, expected.data);
  for (const wrong of [new Float32Array(out.length), new Uint8Array(3), null, source.data]) {
    assert.throws(() => upscale(source, { scale: 2, out: wrong }), /out: got .*expected Uint8Array/);
  }
  const both = new Uint8Array(2 * out.length);
  const shared = { ...source, data: both.subarray(0, source.data.length) };
  const there = both.subarray(out.length);
  assert.throws(() => upscale(shared, { scale: 2, out: there }), /out: got the memory of the source/);
});

test('a window has the values that it has in the whole', () => {
  for (const options of VARIANTS) {
    const source = { data: floats(3 * 37 * 41), width: 41, height: 37 };
    const whole = upscale(source, options);
    const window = { top: 3, left: 5, height: whole.height - 7, width: whole.width - 9 };
    const part = upscale(source, { ...options, window });
    assert.deepEqual([part.width, part.height], [window.width, window.height]);
    for (let row = 0; row < window.height; row++) {
      const begin = ((row + window.top) * whole.width + window.left) * 3;
      assert.deepEqual(
        part.data.subarray(row * window.width * 3, (row + 1) * window.width * 3),
        whole.data.subarray(begin, begin + window.width * 3),
      );
    }
  }
});

test('tiles have the values of the whole, planes too', async () => {
  for (const options of VARIANTS) {
    for (const [source, more] of [
      [rgba(41, 37), {}],
      [floats(2 * 3 * 37 * 41), { shape: [2, 3, 37, 41] }],
    ]) {
      const seen = [];
      const tiled = await upscaleInTiles(source, {
        ...options, ...more, tileBytes: 4000, onProgress: (done) => seen.push(done),
      });
      assert.deepEqual(tiled, upscale(source, { ...options, ...more }));
      assert.ok(seen.length > 1 && seen.at(-1) === 1, `${seen}`);
      assert.ok(seen.every((done, i) => i === 0 || done > seen[i - 1]));
    }
  }
});

test('tiles can be cancelled', async () => {
  const abort = new AbortController();
  const running = upscaleInTiles(rgba(64, 64), {
    scale: 3, tileBytes: 10000, signal: abort.signal, onProgress: () => abort.abort(),
  });
  await assert.rejects(running, { name: 'AbortError' });
  await assert.rejects(upscaleInTiles(rgba(4, 4), { scale: 2, tileBytes: 0 }), /tileBytes: got 0/);
});

test('a worker gives the same, moves buffers, reports, cancels and ends', async () => {
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  const worker = new UpscaleWorker({ worker: port1 });
  const source = rgba(40, 30);
  const expected = upscale(source, { scale: 2.5 });
  const seen = [];
  const onProgress = (done) => seen.push(done);
  assert.deepEqual(await worker.upscale(source, { scale: 2.5, onProgress }), expected);
  assert.equal(seen.at(-1), 1);
  assert.equal(source.data.length, 40 * 30 * 4);
  assert.deepEqual(await worker.upscale(source, { scale: 2.5, transfer: true }), expected);
  assert.equal(source.data.length, 0);
  await assert.rejects(worker.upscale(rgba(2, 2), { scale: 0 }), InvalidArgumentError);
  const abort = new AbortController();
  const reason = new Error('enough');
  const running = worker.upscale(rgba(200, 200), {
    scale: 3, tileBytes: 20000, signal: abort.signal, onProgress: () => abort.abort(reason),
  });
  await assert.rejects(running, reason);
  const [one, two] = await Promise.all([1.5, 2].map((scale) => worker.upscale(rgba(9, 9), { scale })));
  assert.deepEqual([one.width, two.width], [13, 18]);
  const last = worker.upscale(rgba(9, 9), { scale: 2 });
  worker.close();
  await assert.rejects(last, /closed/);
  await assert.rejects(worker.upscale(rgba(9, 9), { scale: 2 }), /closed/);
  port2.close();
});
