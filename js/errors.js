// Everything that sr-ops throws on purpose.

/** Base of every error that sr-ops throws on purpose. */
export class SrOpsError extends Error {
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** An argument is outside what is accepted; the message names it, and what is. */
export class InvalidArgumentError extends SrOpsError {}

/** The memory of WebAssembly, or of the page, is not enough. */
export class OutOfMemoryError extends SrOpsError {}

/** The library is not loaded, or could not be. */
export class LoadError extends SrOpsError {}

const CLASSES = { SrOpsError, InvalidArgumentError, OutOfMemoryError, LoadError };

/** An error as plain data, for a message between threads. */
export function toData(error) {
  return { name: error?.name ?? 'Error', message: String(error?.message ?? error) };
}

/** The error that {@link toData} took apart. */
export function fromData({ name, message }) {
  if (Object.hasOwn(CLASSES, name)) return new CLASSES[name](message);
  if (name === 'AbortError') return new DOMException(message, 'AbortError');
  return new SrOpsError(`${name}: ${message}`);
}
