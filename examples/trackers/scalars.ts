import type { TrainEvent } from 'adalora';

/** The numbers of an event, with the names of Hugging Face's trainer. */
export function listScalars(event: TrainEvent): [name: string, value: number][] {
  const named: Record<string, unknown> =
    event.type === 'step'
      ? {
          'train/loss': event.loss,
          'train/learning_rate': event.learning_rate,
          'train/grad_norm': event.grad_norm,
          'adalora/budget': event.budget,
        }
      : event.type === 'evaluation'
        ? Object.fromEntries(
            Object.entries(event).flatMap(([name, value]) =>
              name.startsWith('eval_') ? [[name.replace('eval_', 'eval/'), value]] : [],
            ),
          )
        : {};
  return Object.entries(named).filter((pair): pair is [string, number] => Number.isFinite(pair[1]));
}

/** Sends requests one after the other, while the run goes on. A failure is printed once and ends the sending. */
export class Requests {
  #last = Promise.resolve();

  constructor(private readonly server: string) {}

  add(send: () => Promise<void>): void {
    this.#last = this.#last.then(send);
    this.#last.catch(() => {});
  }

  /** Waits for all requests. The run is finished by then, so a failure is only printed. */
  async settle(): Promise<void> {
    await this.#last.catch((error: Error) =>
      console.error(`${this.server} does not have all of this run: ${error.message}`),
    );
  }
}

/** Posts JSON and returns the parsed answer. */
export async function post(
  url: string,
  body: object,
  authorization?: string,
): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}
