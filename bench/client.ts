import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';

/** A process that does measured work on request; see protocol.ts. */
export class Client {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: Interface = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async ask<Reply>(op: string, fields: object = {}): Promise<Reply> {
    const request = JSON.stringify({ op, ...fields });
    this.#child.stdin?.write(`${request}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the process ended on ${request}`);
    const reply = JSON.parse(value);
    if (reply.error) throw new Error(`${request}: ${reply.error}`);
    return reply;
  }

  async exit(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end(`${JSON.stringify({ op: 'exit' })}\n`);
    await ended;
  }
}
