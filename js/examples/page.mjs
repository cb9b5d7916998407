// What a canvas shows, enlarged in a thread of its own.
import { UpscaleWorker } from '../index.js';

const worker = new UpscaleWorker();

export async function enlarge(canvas, scale, signal) {
  const context = canvas.getContext('2d');
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const larger = await worker.upscale(image, {
    scale,
    signal, // of an AbortController, to cancel
    onProgress: (done) => console.log(`${Math.round(100 * done)} %`),
  });
  canvas.width = larger.width;
  canvas.height = larger.height;
  context.putImageData(larger, 0, 0);
}
