import { type LiveSection, type LiveState, liveSections } from '../../../studies/report/page/live-page.ts';
import { addEvent, emptyRecord, type RunSummary } from '../../../studies/report/run/run-record.ts';
import { TimeLeft } from '../../../studies/report/run/timeline.ts';
import { readEvent } from '../../../training/run/events.ts';

/** The current state of a run. Sections are rendered only on request, so events cost nothing without viewers. */
export class LivePicture {
  readonly state: LiveState;
  #sections: readonly LiveSection[] = [];
  #isChanged = true;
  readonly #timeLeft = new TimeLeft();

  constructor(facts: RunSummary) {
    this.state = { record: emptyRecord(facts), isStopping: false, secondsLeft: Number.NaN };
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
  sections(): readonly LiveSection[] {
    if (this.#isChanged) this.#sections = liveSections(this.state);
    this.#isChanged = false;
    return this.#sections;
  }
}
