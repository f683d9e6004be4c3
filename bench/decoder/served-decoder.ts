import { readdirSync } from 'node:fs';
import { serve } from '../protocol.ts';
import { type StartedServer, startServer } from '../serving/start-server.ts';
import { type DecoderCase, promptTokens } from './decoder-cases.ts';
import { adaptersIn } from './served-files.ts';

/*
 * Generates through `adalora serve` and OpenAI's route, with LoRA adapters. Answers the requests of decoder-server.ts.
 * Each of several texts has its own adapter.
 */

let server: StartedServer;
let adapters: string[];
let work: DecoderCase & { folder: string; dtype: 'int8' | 'int4'; threads: number };

await serve({
  async prepare(request) {
    work = request as unknown as typeof work;
    const folder = adaptersIn(work.folder);
    adapters = readdirSync(folder);
    const flags = ['--base-dtype', work.dtype, '--threads', `${work.threads}`];
    server = await startServer(folder, work.folder, flags);
    return {};
  },
  async round() {
    const prefill = await generate(1, 1);
    return {
      prefill,
      one: (await generate(1, work.tokens)) - prefill,
      many: (await generate(work.texts, work.tokens)) - (await generate(work.texts, 1)),
    };
  },
  memory: () => ({ peak_mb: server.peakMemoryMb() }),
});
await server!.stop();
process.exit(0);

/** Milliseconds until all texts have their tokens. */
async function generate(texts: number, tokens: number): Promise<number> {
  const started = performance.now();
  await Promise.all(Array.from({ length: texts }, (_, i) => complete(i, tokens)));
  return performance.now() - started;
}

async function complete(text: number, tokens: number): Promise<void> {
  const response = await fetch(`${server.url}/v1/completions`, {
    method: 'POST',
    // Waiting for the next request blocks this process, so it would not notice that the server closes a connection.
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      model: adapters[text],
      prompt: [...promptTokens(text * work.prompt, work.prompt, Number(work.shape.vocab_size))],
      max_tokens: tokens,
      temperature: 0,
    }),
  });
  const answer = await response.json();
  if (answer.usage?.completion_tokens !== tokens)
    throw new Error(`expected ${tokens} tokens, got ${JSON.stringify(answer)}`);
}
