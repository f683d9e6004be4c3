import { type LiveSection, type LiveState, liveSections } from '../../../studies/report/page/live-page.ts';
import { addEvent, emptyRecord, type RunSummary } from '../../../studies/report/run/run-record.ts';
import { TimeLeft } from '../../../studies/report/run/timeline.ts';
import { readEvent } from '../../../training/run/events.ts';

export interface VersionedSection extends LiveSection {
  version: number;
}

/** The current state of a run. Sections are rendered only on request, so events cost nothing without viewers. */
export class LivePicture {
  readonly state: LiveState;
  /** Increases whenever a rendering differs from the previous one. */
  version = 0;
  #sections: VersionedSection[] = [];
  #isChanged = true;
  readonly #timeLeft: TimeLeft;

  /** @param now a clock in milliseconds, with any origin */
  constructor(facts: RunSummary, now?: () => number) {
    this.state = { record: emptyRecord(facts), isStopping: false, secondsLeft: Number.NaN };
    this.#timeLeft = new TimeLeft(now);
  }

  /** Adds an event of the run, as the trainer emits it or the log contains it. */
  add(value: unknown): void {
    const event = readEvent(value);
    if (!event) return;
    addEvent(this.state.record, event);
    this.state.secondsLeft = this.#timeLeft.after(event);
    this.#isChanged = true;
  }

  stopping(): void {
    this.state.isStopping = true;
    this.#isChanged = true;
  }

  /** Records that the run ended without a result. */
  fail(message: string): void {
    this.state.failure = message;
    this.#isChanged = true;
  }

  /** The current sections, rendered again only if something was added. */
  sections(): readonly VersionedSection[] {
    if (!this.#isChanged) return this.#sections;
    this.#isChanged = false;
    const before = new Map(this.#sections.map((section) => [section.id, section]));
    const drawn = liveSections(this.state);
    if (drawn.some(({ id, html }) => before.get(id)?.html !== html)) this.version++;
    this.#sections = drawn.map(({ id, html }) => {
      const old = before.get(id);
      return old?.html === html ? old : { id, html, version: this.version };
    });
    return this.#sections;
  }
}
