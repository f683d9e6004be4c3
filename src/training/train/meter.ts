import type { GradientNoise } from '../../methods/optim/gradient.ts';
import type { LossCourse, MeterState } from '../run/checkpoint.ts';

/** Means and rates since the last log line. Time counts only while a step runs. */
export class Meter {
  state: MeterState = { lossSum: 0, steps: 0 };
  /** Losses over the whole run, also before a resume. */
  losses: LossCourse = { peak: 0 };
  /** Examples and milliseconds since the last log line, and since the start of the process. */
  #recent = { examples: 0, ms: 0 };
  #all = { examples: 0, ms: 0 };

  add(loss: number, examples: number, ms: number, noise?: GradientNoise): void {
    // The loss of a skipped step may be NaN or infinite.
    if (Number.isFinite(loss)) {
      this.state.lossSum += loss;
      this.state.steps++;
    }
    if (noise && Number.isFinite(noise.squared + noise.variance)) {
      const { variance, squared } = this.state.noise ?? { variance: 0, squared: 0 };
      this.state.noise = { variance: variance + noise.variance, squared: squared + noise.squared };
    }
    for (const total of [this.#recent, this.#all]) {
      total.examples += examples;
      total.ms += ms;
    }
  }

  /** Returns the mean loss, the examples per second and the gradient noise scale since the last call. */
  flush(): { loss: number; examples_per_second: number; gradient_noise_scale?: number } {
    const { lossSum, steps, noise } = this.state;
    const examples_per_second = rate(this.#recent);
    this.state = { lossSum: 0, steps: 0 };
    this.#recent = { examples: 0, ms: 0 };
    const loss = lossSum / steps;
    const { first = loss, peak } = this.losses;
    this.losses = { first, last: loss, peak: Math.max(peak, loss) };
    // The estimate of the squared length may be negative by chance.
    const scale = noise && noise.squared > 0 ? noise.variance / noise.squared : Number.NaN;
    return { loss, examples_per_second, ...(noise && { gradient_noise_scale: scale }) };
  }

  /** Examples per second since the process started. */
  overall(): number {
    return rate(this.#all);
  }
}

function rate({ examples, ms }: { examples: number; ms: number }): number {
  return ms > 0 ? (1000 * examples) / ms : 0;
}
