// From picture to picture, as sr_ops.upscale_image in Python with that model: bicubic, or a network on luma.
import { UpscaleWorker } from './sr-ops/index.js';
import { fromYCbCr, isTransparent, premultiply, toYCbCr, unpremultiply } from './colour.js';

/** Networks, the default first: the names of sr_ops.upscale_image, and files that scripts/web/build_page.py puts here. */
export const NETWORKS = {
  espcn: 'models/espcn_x3.onnx', // the best of its family at every scale
  multiscale: 'models/multiscale.onnx',
  srcnn: 'models/srcnn.onnx',
};

export class Upscaler {
  #bicubic = new UpscaleWorker();
  #networks = new NetworkWorker();

  /** An ImageData `scale` times as large. */
  async upscale(image, { model, scale, signal, onProgress }) {
    const options = { scale, antialias: true, signal };
    if (model === 'bicubic') {
      if (!isTransparent(image)) {
        return this.#bicubic.upscale(image, { ...options, onProgress });
      }
      const pixels = premultiply(image);
      return unpremultiply(await this.#bicubic.upscale(pixels, { ...options, onProgress }));
    }
    const { width, height } = image;
    const planes = toYCbCr(image);
    const luma = planes.slice(0, width * height);
    const chroma = planes.slice(width * height);
    const [y, c] = await Promise.all([
      this.#networks.run({ model: NETWORKS[model], plane: luma, width, height, scale, signal }),
      this.#bicubic.upscale(chroma, { ...options, shape: [2, height, width] }),
    ]);
    return fromYCbCr(y.plane, c.data, y.width, y.height);
  }
}

/** A thread for networks, one run at a time; a cancelled run is ended with its thread. */
class NetworkWorker {
  #worker = null;
  #waiting = null;
  #id = 0;

  run({ signal, ...request }) {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#worker.terminate();
        this.#worker = null;
        reject(signal.reason);
      };
      signal.throwIfAborted();
      signal.addEventListener('abort', stop, { once: true });
      this.#waiting = { id: ++this.#id, resolve, reject, done: () => signal.removeEventListener('abort', stop) };
      this.#start().postMessage({ id: this.#id, ...request }, [request.plane.buffer]);
    });
  }

  #start() {
    if (this.#worker === null) {
      this.#worker = new Worker(new URL('./network_worker.js', import.meta.url), { type: 'module' });
      this.#worker.onmessage = ({ data }) => this.#settle(data);
      this.#worker.onerror = (event) => this.#settle({ id: this.#id, error: event.message });
    }
    return this.#worker;
  }

  #settle({ id, error, ...result }) {
    if (this.#waiting?.id !== id) return;
    const { resolve, reject, done } = this.#waiting;
    this.#waiting = null;
    done();
    if (error === undefined) resolve(result);
    else reject(new Error(`the network failed: ${error ?? 'its worker could not be started'}`));
  }
}
