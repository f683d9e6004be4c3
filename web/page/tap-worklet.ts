/* Runs in the audio thread of the browser, and passes the microphone's samples on. */

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;

/** Samples in a message: a twentieth of a second. */
const PART = 2400;

class Tap extends AudioWorkletProcessor {
  #part = new Float32Array(PART);
  #filled = 0;

  process([input]: readonly (readonly Float32Array[])[]): boolean {
    for (const sample of input?.[0] ?? []) {
      this.#part[this.#filled++] = sample;
      if (this.#filled < PART) continue;
      this.port.postMessage(this.#part);
      this.#part = new Float32Array(PART);
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor('tap', Tap);
