import { resample, SAMPLE_RATE } from '../../src/input/media/sounds/samples.ts';
import { joinedFloats } from '../../src/support/arrays.ts';

/** Longest recording in seconds. Models read no more of a sound. */
const MAX_SECONDS = 30;
/** The last samples arrive this much later than they were heard, in milliseconds. */
const DELAY_MS = 150;

/** The microphone of this machine. It is on only between {@link start} and {@link stop}. */
export class Microphone {
  #context: AudioContext | undefined;
  #stream: MediaStream | undefined;
  #parts: Float32Array[] | undefined;

  /** @param onHeard called for parts of a recording, with the seconds so far and the loudest sample of the part */
  constructor(private readonly onHeard: (seconds: number, loudest: number) => void) {}

  get isOn(): boolean {
    return this.#context !== undefined;
  }

  /** @throws an error with a user's message if there is no microphone, or the user does not allow it */
  async start(): Promise<void> {
    // Suppression of noise would remove most sounds that are not speech.
    const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
      const context = new AudioContext();
      await context.audioWorklet.addModule(new URL('tap.js', import.meta.url));
      const tap = new AudioWorkletNode(context, 'tap');
      tap.port.onmessage = ({ data }) => this.#hear(data, context.sampleRate);
      // It writes nothing. Browsers run only what leads to the speakers.
      context.createMediaStreamSource(this.#stream).connect(tap).connect(context.destination);
      await context.resume();
      this.#context = context;
    } catch (error) {
      this.stop();
      throw new Error(`The microphone cannot be used: ${(error as Error).message}`);
    }
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    void this.#context?.close();
    this.#stream = undefined;
    this.#context = undefined;
    this.#parts = undefined;
  }

  /** Begins a recording. */
  begin(): void {
    this.#parts = [];
  }

  /** Ends the recording. Returns its samples at 16 kHz. */
  async end(): Promise<Float32Array> {
    await new Promise((done) => setTimeout(done, DELAY_MS));
    const [parts, rate] = [this.#parts ?? [], this.#context?.sampleRate ?? SAMPLE_RATE];
    this.#parts = undefined;
    return resample(joinedFloats(parts), rate, SAMPLE_RATE);
  }

  #hear(part: Float32Array, rate: number): void {
    if (!this.#parts || this.#parts.length * part.length > MAX_SECONDS * rate) return;
    this.#parts.push(part);
    const loudest = part.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    this.onHeard((this.#parts.length * part.length) / rate, loudest);
  }
}
