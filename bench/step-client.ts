import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';

/** A process that takes training steps on request; see step-server.ts for the protocol. */
export class StepClient {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: Interface = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async ask(request: object): Promise<Record<string, unknown>> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the step server ended on ${JSON.stringify(request)}`);
    const reply = JSON.parse(value);
    if (reply.error) throw new Error(`${JSON.stringify(request)}: ${reply.error}`);
    return reply;
  }

  /** Milliseconds of one step. */
  async step(): Promise<number> {
    const { ms } = await this.ask({ op: 'step', count: 1 });
    return (ms as number[])[0];
  }

  async exit(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end(`${JSON.stringify({ op: 'exit' })}\n`);
    await ended;
  }
}
