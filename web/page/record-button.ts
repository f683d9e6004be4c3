import { element } from './element.ts';
import { Microphone } from './microphone.ts';

/** Recordings that are shorter, in seconds, were not meant. */
const LEAST_SECONDS = 0.2;
/** A microphone that is muted or broken gives samples below this. */
const SILENCE = 1e-4;
/** Elements that use the space bar themselves. */
const FIELDS = 'input, textarea, select, summary, button, a, video';

/** The button that was turned on last, which the space bar holds. */
let current: RecordButton | undefined;

/**
 * A button that records while it is held: by a pointer, or by the space bar. Enter, or a screen reader, starts a recording and
 * ends it.
 */
export class RecordButton {
  readonly #button: HTMLButtonElement;
  readonly #line: HTMLElement;
  readonly #microphone = new Microphone((seconds, loudest) => this.#tell(seconds, loudest));
  readonly #onClip: (samples: Float32Array) => unknown;
  readonly #isReady: () => boolean;
  #isHeld = false;
  #loudest = 0;

  /**
   * @param id of the button. The element with `-line` at the end says what happens
   * @param onClip called with the samples of a recording at 16 kHz
   * @param isReady whether a recording may begin; if not, it tells the user why
   */
  constructor(id: string, onClip: (samples: Float32Array) => unknown, isReady = () => true) {
    this.#button = element(id, HTMLButtonElement);
    this.#line = element(`${id}-line`, HTMLElement);
    this.#onClip = onClip;
    this.#isReady = isReady;
    const button = this.#button;
    button.addEventListener('pointerdown', (event) => {
      if (event.button === 0) this.#begin();
    });
    for (const name of ['pointerup', 'pointerleave', 'pointercancel'] as const)
      button.addEventListener(name, () => void this.#end());
    button.addEventListener('click', ({ detail }) => {
      // A click without a pointer. A pointer has held the button.
      if (detail === 0) this.#isHeld ? void this.#end() : this.#begin();
    });
    window.addEventListener('blur', () => void this.#end());
    document.addEventListener('keydown', (event) => {
      if (!this.#takes(event)) return;
      event.preventDefault();
      if (!event.repeat) this.#begin();
    });
    document.addEventListener('keyup', (event) => {
      if (!this.#takes(event)) return;
      event.preventDefault();
      void this.#end();
    });
  }

  get isOn(): boolean {
    return this.#microphone.isOn;
  }

  /** Turns the microphone on. Returns a message if that fails, or an empty one. */
  async turnOn(): Promise<string> {
    current?.turnOff();
    try {
      await this.#microphone.start();
    } catch (error) {
      return (error as Error).message;
    }
    current = this;
    this.#button.disabled = false;
    return '';
  }

  turnOff(): void {
    this.#microphone.stop();
    this.#isHeld = false;
    this.#button.disabled = true;
    this.#line.textContent = '';
  }

  /** Whether a key is for this button. */
  #takes({ code, target, ctrlKey, altKey, metaKey }: KeyboardEvent): boolean {
    if (code !== 'Space' || ctrlKey || altKey || metaKey) return false;
    if (target === this.#button) return this.isOn;
    const isFree = target instanceof Element && !target.closest(FIELDS);
    return isFree && current === this && this.isOn && this.#button.checkVisibility();
  }

  #begin(): void {
    if (this.#isHeld || !this.isOn || this.#button.disabled || !this.#isReady()) return;
    this.#isHeld = true;
    this.#loudest = 0;
    this.#button.dataset.seconds = '0.0';
    this.#button.setAttribute('aria-pressed', 'true');
    this.#line.textContent = 'Recording';
    this.#microphone.begin();
  }

  async #end(): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    // The next recording may begin when this one is complete.
    this.#button.disabled = true;
    const samples = await this.#microphone.end();
    this.#button.disabled = !this.isOn;
    this.#button.removeAttribute('aria-pressed');
    const seconds = samples.length / 16_000;
    if (seconds < LEAST_SECONDS) this.#line.textContent = 'Hold it while you make the sound.';
    else if (this.#loudest < SILENCE) this.#line.textContent = 'The microphone is silent. Is it muted?';
    else {
      this.#line.textContent = `Recorded: ${seconds.toFixed(1)} s`;
      await this.#onClip(samples);
    }
  }

  #tell(seconds: number, loudest: number): void {
    this.#loudest = Math.max(this.#loudest, loudest);
    this.#button.style.setProperty('--level', `${Math.round(100 * Math.min(1, loudest))}%`);
    this.#button.dataset.seconds = seconds.toFixed(1);
  }
}
