// What the types promise; compiled, not run.
import {
  InvalidArgumentError,
  type Picture,
  type Tensor,
  UpscaleWorker,
  load,
  outputSize,
  upscale,
  upscaleInTiles,
} from '../index.js';

export async function example(image: ImageData, floats: Float32Array, signal: AbortSignal): Promise<void> {
  await load();
  await load(new URL('./sr_ops.wasm', import.meta.url));
  const larger: ImageData = upscale(image, { scale: 2.7 });
  const tensor: Tensor<Float32Array> = upscale(floats, { shape: [1, 3, 8, 8], size: [9, 9] });
  const pixels: Picture<Uint8Array> = upscale(
    { data: new Uint8Array(12), width: 2, height: 2 },
    { scale: [2, 3], window: { top: 0, left: 0, height: 1, width: 1 } },
  );
  const { height, width }: { height: number; width: number } = outputSize(image, { scale: 2 });
  const tiled: ImageData = await upscaleInTiles(image, { scale: 3, signal, onProgress: (done) => done });
  const worker = new UpscaleWorker({ wasm: 'sr_ops.wasm' });
  const moved: ImageData = await worker.upscale(image, { scale: 2, transfer: true });
  worker.close();
  // @ts-expect-error a bare array needs its shape
  upscale(floats, { scale: 2 });
  // @ts-expect-error no such mode
  upscale(image, { scale: 2, coordinateTransformationMode: 'bilinear' });
  // @ts-expect-error doubles are not taken
  upscale(new Float64Array(4), { shape: [2, 2], scale: 2 });
  throw new InvalidArgumentError(`${larger} ${tensor} ${pixels} ${height} ${width} ${tiled} ${moved}`);
}
