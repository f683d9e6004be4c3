import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeMadeAdapter } from '../../tests/support/made-adapter.ts';
import { serve } from '../protocol.ts';
import { type StartedServer, startServer } from '../serving/start-server.ts';
import type { DecoderCase } from './decoder-cases.ts';

/*
 * Generates through `adalora serve` and OpenAI's route, with LoRA adapters. Answers the requests of decoder-server.ts.
 * Each of several texts has its own adapter.
 */

let server: StartedServer;
let work: DecoderCase & { folder: string; dtype: 'int8' | 'int4'; threads: number };

await serve({
  async prepare(request) {
    work = request as unknown as typeof work;
    writeTokenizer(work.folder, Number(work.shape.vocab_size));
    const adapters = join(work.folder, 'adapters');
    for (let i = 0; i < work.texts; i++) addAdapter(join(adapters, adapterName(i)));
    const flags = ['--base-dtype', work.dtype, '--threads', `${work.threads}`];
    server = await startServer(adapters, work.folder, flags);
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
  const vocabSize = Number(work.shape.vocab_size);
  const response = await fetch(`${server.url}/v1/completions`, {
    method: 'POST',
    // Waiting for the next request blocks this process, so it would not notice that the server closes a connection.
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      model: adapterName(text),
      prompt: Array.from(
        { length: work.prompt },
        (_, i) => ((text * work.prompt + i) * 7919 + 1) % vocabSize,
      ),
      max_tokens: tokens,
      temperature: 0,
    }),
  });
  const answer = await response.json();
  if (answer.usage?.completion_tokens !== tokens)
    throw new Error(`expected ${tokens} tokens, got ${JSON.stringify(answer)}`);
}

function addAdapter(folder: string): void {
  if (existsSync(folder)) return;
  mkdirSync(folder, { recursive: true });
  writeMadeAdapter(folder, work.folder, {
    ...{ task: 'causal_lm', labels: [], data: { text: 'text' } },
    ...{ seed: Number(folder.split('-').at(-1)), rank: work.r, targets: [...work.targets], deviation: 0.02 },
  });
}

function adapterName(i: number): string {
  return `adapter-${i}`;
}

/** Writes a tokenizer with one word per id. None of them ends a text. */
function writeTokenizer(folder: string, vocabSize: number): void {
  const vocab = Object.fromEntries(Array.from({ length: vocabSize }, (_, id) => [`w${id}`, id]));
  const tokenizer = {
    version: '1.0',
    pre_tokenizer: { type: 'Whitespace' },
    model: { type: 'WordPiece', vocab, unk_token: 'w0', continuing_subword_prefix: '##' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), '{}');
}
