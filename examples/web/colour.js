// Pictures as the networks want them: full-range BT.601, float32 in 0..1; and the way back.

const RGB_TO_YCBCR = [
  [0.299, 0.587, 0.114],
  [-0.299 / 1.772, -0.587 / 1.772, 0.5],
  [0.5, -0.587 / 1.402, -0.114 / 1.402],
];

/** Chroma is centred at level 128. */
const CHROMA_CENTRE = 128 / 255;

/** Half a level of a 16-bit alpha channel. */
const INVISIBLE = 0.5 / 65535;

const level = (value) => Math.fround(value / 255);

/** Math.rint: halves to the even neighbour. What is outside of 0..255 is clamped. */
function toLevel(value) {
  const scaled = Math.fround(Math.min(Math.max(Math.fround(value) * 255, 0), 255));
  const below = Math.floor(scaled);
  const rest = scaled - below;
  return below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
}

export const isTransparent = ({ data }) => data.some((value, i) => i % 4 === 3 && value < 255);

/** Planes Y, Cb, Cr, one after the other, of RGBA pixels. */
export function toYCbCr({ data, width, height }) {
  const size = width * height;
  const planes = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    const rgb = [level(data[4 * i]), level(data[4 * i + 1]), level(data[4 * i + 2])];
    RGB_TO_YCBCR.forEach((row, c) => {
      planes[c * size + i] = row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2] + (c > 0 ? CHROMA_CENTRE : 0);
    });
  }
  return planes;
}

/** An opaque ImageData of planes Y, Cb, Cr. */
export function fromYCbCr(y, chroma, width, height) {
  const image = new ImageData(width, height);
  const size = width * height;
  for (let i = 0; i < size; i++) {
    const [cb, cr] = [chroma[i] - CHROMA_CENTRE, chroma[size + i] - CHROMA_CENTRE];
    const red = y[i] + 1.402 * cr;
    const blue = y[i] + 1.772 * cb;
    const green = (y[i] - 0.299 * red - 0.114 * blue) / 0.587;
    image.data.set([toLevel(red), toLevel(green), toLevel(blue), 255], 4 * i);
  }
  return image;
}

/** Float pixels whose colour is weighted by alpha: what is transparent has no say in its surroundings. */
export function premultiply({ data, width, height }) {
  const pixels = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = level(data[i + 3]);
    for (let c = 0; c < 3; c++) pixels[i + c] = level(data[i + c]) * alpha;
    pixels[i + 3] = alpha;
  }
  return { data: pixels, width, height };
}

/** The reverse, to an ImageData. */
export function unpremultiply({ data, width, height }) {
  const image = new ImageData(width, height);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3];
    if (alpha <= INVISIBLE) continue;
    for (let c = 0; c < 3; c++) image.data[i + c] = toLevel(data[i + c] / alpha);
    image.data[i + 3] = toLevel(alpha);
  }
  return image;
}
