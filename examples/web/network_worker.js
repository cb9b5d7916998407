// Runs exported networks in onnxruntime-web, in a thread of its own.
import * as ort from './ort/ort.wasm.min.mjs';

ort.env.wasm.numThreads = 1; // more need headers that not every file server sends
const sessions = new Map();

function session(model) {
  if (!sessions.has(model)) {
    sessions.set(model, ort.InferenceSession.create(model, { executionProviders: ['wasm'] }));
  }
  return sessions.get(model);
}

self.onmessage = async ({ data: { id, model, plane, width, height, scale } }) => {
  try {
    const network = await session(model);
    const { y } = await network.run({
      x: new ort.Tensor('float32', plane, [1, 1, height, width]),
      scale: new ort.Tensor('float32', Float32Array.of(scale, scale), [2]),
    });
    const [, , outHeight, outWidth] = y.dims;
    self.postMessage({ id, plane: y.data, width: outWidth, height: outHeight });
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
