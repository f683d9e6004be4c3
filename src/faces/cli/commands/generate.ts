import { Command } from 'commander';
import type { ChatMessage } from '../../../input/text/chat/chat-template.ts';
import type { Generated, GenerationInput, Prompt } from '../../../program/generation/prompt.ts';
import type { TextGenerator } from '../../../program/generation/text-generator.ts';
import { defined } from '../../../support/options.ts';
import { UserError } from '../../../support/user-error.ts';
import {
  addModelFlags,
  count,
  inShard,
  keyOption,
  number,
  type OpenFlags,
  repeated,
  type Shard,
  sharedOption,
  withModel,
} from '../flags.ts';
import type { GivenPrompt } from '../prompts.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { write } from '../terminal/screen.ts';

interface Flags extends GenerationFlags, OpenFlags {
  prompt: string[];
  file?: string;
  chat?: boolean;
  system?: string;
  jsonl?: boolean;
  batchSize: number;
  shard?: Shard;
}

export function generateCommand(): Command {
  const command = new Command('generate')
    .description(
      'Generate text from a prompt and stream it. Without a prompt, read one prompt per line of standard input, or start a chat in a terminal.',
    )
    .argument('<run, adapter or model>', 'folder of a run, an adapter or a model, or its Hub id')
    .argument('[prompts...]', 'same as --prompt')
    .option('--prompt <text>', 'prompt (repeatable)', repeated, [])
    .option('--file <path>', 'file with one prompt per line, or JSON Lines with prompt or messages')
    .option(
      '--chat',
      "apply the model's chat template to each prompt (default in a terminal and for adapters trained on chats)",
    )
    .option('--no-chat', 'use each prompt as it is (default otherwise)')
    .option('--system <text>', 'system prompt');
  addGenerationFlags(command)
    .option('--jsonl', 'print one JSON line per text: text, ids, finish (stop or length)')
    .option(
      '--batch_size, --batch-size <count>',
      'prompts per batch; above 1, a text is printed when it is complete',
      count,
      1,
    )
    .addOption(sharedOption('shard'));
  return addModelFlags(command).action((path, prompts, flags) =>
    run(path, { ...flags, prompt: [...prompts, ...flags.prompt] }),
  );
}

async function run(path: string, flags: Flags): Promise<void> {
  const prompts = await givenPrompts(flags);
  const use = { continues: prompts === undefined, generates: true };
  await withModel(path, flags, use, async (trained) => {
    const generator = await trained.generator();
    generator.settings(await generationInput(flags));
    const isStopped = prompts
      ? await answerAll(generator, inShard(prompts, flags.shard), flags)
      : await converse(generator, flags);
    if (isStopped) process.exitCode = STOPPED;
  });
}

/** Prompts from the flags, or else from standard input. Undefined if standard input is a terminal. */
async function givenPrompts({ prompt, file, jsonl }: Flags): Promise<GivenPrompt[] | undefined> {
  const { promptsFrom } = await import('../prompts.ts');
  const { readInput } = await import('../standard-input.ts');
  const { textFile } = await import('../../../input/data/node/text-files.ts');
  const typed = prompt.map((text, i) => ({ where: `--prompt ${i + 1}`, prompt: text }));
  if (file !== undefined) return [...typed, ...promptsFrom(textFile(file).read(), file)];
  if (typed.length > 0) return typed;
  if (!process.stdin.isTTY) return promptsFrom(await readInput(), 'standard input');
  if (!jsonl) return undefined;
  throw new UserError({ where: '--jsonl', fault: 'needs prompts: pass --prompt or --file, or pipe them in' });
}

/** Generates the answers in batches. Returns whether a signal stopped it. */
async function answerAll(
  generator: TextGenerator,
  namedPrompts: GivenPrompt[],
  flags: Flags,
): Promise<boolean> {
  const { jsonl, batchSize, seed, chat: isChat = generator.isChat } = flags;
  const config = await generationInput(flags);
  const prompts = namedPrompts.map(({ where, prompt }) => ({
    where,
    prompt: asked(prompt, isChat, flags.system),
  }));
  const stop = stopOnSignal(() => console.error('Stopping (press again to quit at once).'));
  const options = { seed, signal: stop.signal };
  const streams = !jsonl && batchSize === 1 && generator.settings(config).num_return_sequences === 1;
  const answer = (batch: typeof prompts) =>
    naming(namedPrompts.length > 1 ? batch[0]!.where : undefined, async () => {
      if (streams) {
        await spoken((onText) => generator.generate(batch[0]!.prompt, config, { ...options, onText }));
        return [];
      }
      const texts = await generator.generateAll(
        batch.map(({ prompt }) => prompt),
        config,
        options,
      );
      return texts.flat().map((generated) => (jsonl ? formatLine(generated) : generated.text));
    });
  try {
    for (let at = 0; at < prompts.length; at += batchSize)
      for (const line of await answer(prompts.slice(at, at + batchSize))) await write(`${line}\n`);
    return false;
  } catch (error) {
    if (stop.signal.aborted) return true;
    throw error;
  } finally {
    stop.release();
  }
}

/** Chats in the terminal. Returns whether Ctrl-C ended the chat. */
async function converse(generator: TextGenerator, flags: Flags): Promise<boolean> {
  const { chat } = await import('../terminal/chat.ts');
  const { seed, system, chat: isConversation = true } = flags;
  const config = await generationInput(flags);
  console.error(`${isConversation ? 'Chat' : 'Type a prompt'}. Ctrl-C stops the answer, Ctrl-D quits.`);
  const answer = (prompt: Prompt, signal: AbortSignal) =>
    spoken((onText) => generator.generate(prompt, config, { seed, signal, onText }), signal);
  const messages = asked([], isConversation, system) as ChatMessage[];
  return chat(answer, { input: process.stdin, output: process.stderr, messages, isConversation });
}

function asked(
  prompt: GivenPrompt['prompt'],
  isChat: boolean,
  system: string | undefined,
): string | readonly ChatMessage[] {
  if (typeof prompt === 'string' && !isChat) {
    if (system === undefined) return prompt;
    throw new UserError({ key: '--system', fault: 'applies to chats only', hint: 'Add --chat.' });
  }
  const messages = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  return system === undefined ? messages : [{ role: 'system', content: system }, ...messages];
}

/**
 * Writes pieces as they arrive, then a newline. Returns the whole text, or the text so far if the signal
 * stops it.
 */
async function spoken(
  generate: (onText: (piece: string) => void) => Promise<Generated>,
  signal?: AbortSignal,
): Promise<string> {
  let text = '';
  try {
    await generate((piece) => {
      text += piece;
      process.stdout.write(piece);
    });
  } catch (error) {
    if (text !== '') await write('\n');
    if (signal?.aborted) return text;
    throw error;
  }
  await write('\n');
  return text;
}

function formatLine({ text, ids, finish }: Generated): string {
  return JSON.stringify({ text, ids: [...ids], finish });
}

/** Runs `work`. Its error messages name the prompt if there are several prompts. */
async function naming<T>(where: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (where === undefined || !(error instanceof UserError)) throw error;
    throw new UserError(`${where}: ${error.message}`);
  }
}

/** Flags for text generation. */
export interface GenerationFlags {
  set: string[];
  maxNewTokens?: number;
  sample?: boolean;
  temperature?: number;
  topK?: number;
  topP?: number;
  numBeams?: number;
  seed?: number;
}

/** Adds the flags of {@link GenerationFlags}; they are named like the keys of transformers' `GenerationConfig`. */
function addGenerationFlags(command: Command): Command {
  return command
    .option(
      '--max_new_tokens, --max-new-tokens <count>',
      "maximum number of new tokens (default: the model's setting, else 256)",
      number,
    )
    .option('--sample', 'sample tokens by probability (do_sample)')
    .option('--no-sample', 'always take the most likely token')
    .option('--temperature <number>', 'sampling temperature; below 1 prefers likely tokens', number)
    .option('--top_k, --top-k <count>', 'sample from the k most likely tokens', number)
    .option(
      '--top_p, --top-p <share>',
      'sample from the most likely tokens with this total probability',
      number,
    )
    .option('--num_beams, --num-beams <count>', 'number of beams of the beam search', number)
    .addOption(keyOption('seed'))
    .option(
      '--set <key=value>',
      'set any key of GenerationConfig, as in --set no_repeat_ngram_size=3; null unsets it (repeatable)',
      repeated,
      [],
    );
}

/** Converts the flags to a config. The generator checks the values. */
async function generationInput(flags: GenerationFlags): Promise<GenerationInput> {
  const { Document } = await import('yaml');
  const { applySetting } = await import('../apply-setting.ts');
  const document = new Document({});
  for (const setting of flags.set) applySetting(document, setting);
  const named: GenerationInput = {
    max_new_tokens: flags.maxNewTokens,
    do_sample: flags.sample,
    temperature: flags.temperature,
    top_k: flags.topK,
    top_p: flags.topP,
    num_beams: flags.numBeams,
  };
  return { ...document.toJS(), ...defined(named) };
}
