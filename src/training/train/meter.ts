import type { LossCourse, MeterState } from '../run/checkpoint.ts';

/** Means and rates since the last log line. Time counts only while a step runs. */
export class Meter {
  state: MeterState = { lossSum: 0, steps: 0 };
  /** Losses over the whole run, also before a resume. */
  losses: LossCourse = { peak: 0 };
  /** Examples and milliseconds since the last log line, and since the start of the process. */
  #recent = { examples: 0, ms: 0 };
  #all = { examples: 0, ms: 0 };

  add(loss: number, examples: number, ms: number): void {
    // The loss of a skipped step may be NaN or infinite.
    if (Number.isFinite(loss)) {
      this.state.lossSum += loss;
      this.state.steps++;
    }
    for (const total of [this.#recent, this.#all]) {
      total.examples += examples;
      total.ms += ms;
    }
  }

  /** Returns the mean loss and the examples per second since the last call. */
  flush(): { loss: number; examples_per_second: number } {
    const { lossSum, steps } = this.state;
    const examples_per_second = rate(this.#recent);
    this.state = { lossSum: 0, steps: 0 };
    this.#recent = { examples: 0, ms: 0 };
    const loss = lossSum / steps;
    const { first = loss, peak } = this.losses;
    this.losses = { first, last: loss, peak: Math.max(peak, loss) };
    return { loss, examples_per_second };
  }

  /** Examples per second since the process started. */
  overall(): number {
    return rate(this.#all);
  }
}

function rate({ examples, ms }: { examples: number; ms: number }): number {
  return ms > 0 ? (1000 * examples) / ms : 0;
}
