import { Document } from 'yaml';
import { jsonLines, ownValue, requireText } from '../../../input/data/json-lines.ts';
import { textFile } from '../../../input/data/node/text-files.ts';
import { RowProblems } from '../../../input/data/rows.ts';
import { readConversation } from '../../../input/data/text/language-rows.ts';
import { ASSISTANT, type ChatMessage } from '../../../input/text/chat/chat-template.ts';
import { readToolCalls } from '../../../input/text/chat/tool-calls.ts';
import type { Generated, GenerationInput, Prompt } from '../../../program/generation/prompt.ts';
import type { TextGenerator } from '../../../program/generation/text-generator.ts';
import { defined } from '../../../support/options.ts';
import { UserError } from '../../../support/user-error.ts';
import { withModel } from '../choose-inputs.ts';
import { inShard, type OpenFlags, type Shard } from '../flags.ts';
import { applySetting } from '../load-config.ts';
import { readInput } from '../standard-input.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { chat } from '../terminal/chat.ts';
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

export default async function run(path: string, others: string[], given: Flags): Promise<void> {
  const flags = { ...given, prompt: [...others, ...given.prompt] };
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
      return texts.flatMap((all, i) =>
        all.map((one) => (jsonl ? formatLine(one, hasTools(batch[i]!.prompt)) : one.text)),
      );
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
): GivenPrompt['prompt'] {
  if (hasTools(prompt))
    return { ...prompt, messages: asked(prompt.messages, isChat, system) as readonly ChatMessage[] };
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

/** Returns a line of JSON. With tools, the calls in the text are beside it. */
function formatLine({ text, ids, finish }: Generated, mayCall: boolean): string {
  return JSON.stringify({
    text,
    ...(mayCall && { calls: readToolCalls(text).calls }),
    ids: [...ids],
    finish,
  });
}

function hasTools(prompt: GivenPrompt['prompt']) {
  return typeof prompt === 'object' && 'tools' in prompt;
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
interface GenerationFlags {
  set: string[];
  maxNewTokens?: number;
  sample?: boolean;
  temperature?: number;
  topK?: number;
  topP?: number;
  numBeams?: number;
  schema?: string;
  choice: string[];
  seed?: number;
}

/** Converts the flags to a config. The generator checks the values. */
async function generationInput(flags: GenerationFlags): Promise<GenerationInput> {
  const document = new Document({});
  for (const setting of flags.set) applySetting(document, setting);
  const named: GenerationInput = {
    max_new_tokens: flags.maxNewTokens,
    do_sample: flags.sample,
    temperature: flags.temperature,
    top_k: flags.topK,
    top_p: flags.topP,
    num_beams: flags.numBeams,
    response_format: readFormat(flags),
  };
  return { ...document.toJS(), ...defined(named) };
}

/** @throws UserError for a file that is no JSON schema */
function readFormat({ schema, choice }: GenerationFlags): GenerationInput['response_format'] {
  if (schema !== undefined && choice.length > 0)
    throw new UserError({ key: '--schema', fault: 'and --choice exclude each other' });
  if (choice.length > 0) return { type: 'choice', choices: choice };
  if (schema === undefined) return undefined;
  try {
    return { type: 'json_schema', schema: JSON.parse(textFile(schema).read()) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError({ where: schema, fault: `is no JSON: ${(error as Error).message}` });
  }
}

/** A prompt, or a conversation to answer, and its place in the input. */
interface GivenPrompt {
  where: string;
  prompt: Exclude<Prompt, Int32Array>;
}

/**
 * Reads prompts from a file or from standard input. Content that begins with `{` is JSON Lines with `prompt`
 * or `messages` (and `tools`). Otherwise, each line is a prompt. Blank lines are skipped.
 *
 * @throws UserError with the invalid lines, or if there is no prompt
 */
function promptsFrom(content: string, fileName: string): GivenPrompt[] {
  const body = content.replace(/^\ufeff/, '');
  const prompts = /^\s*\{/.test(body) ? fromJson(body, fileName) : fromLines(body, fileName);
  if (prompts.length > 0) return prompts;
  throw new UserError({ where: fileName, fault: 'has no prompts' });
}

function fromLines(body: string, fileName: string): GivenPrompt[] {
  return body
    .split(/\r\n|\n/)
    .map((prompt, i) => ({ where: `${fileName}:${i + 1}`, prompt }))
    .filter(({ prompt }) => prompt.trim() !== '');
}

function fromJson(body: string, fileName: string): GivenPrompt[] {
  const problems = new RowProblems(fileName);
  const prompts: GivenPrompt[] = [];
  for (const { line, object } of jsonLines(body, problems)) {
    const prompt =
      ownValue(object, 'messages') === undefined
        ? requireText(object, 'prompt', line, problems)
        : toAnswer(readConversation(object, 'messages', line, problems));
    if (prompt !== undefined) prompts.push({ where: `${fileName}:${line}`, prompt });
  }
  problems.throwIfAny();
  return prompts;
}

/** The prompt of a conversation: without its last answer, as in rows for training. */
function toAnswer(row: ReturnType<typeof readConversation>): GivenPrompt['prompt'] | undefined {
  if (!row) return undefined;
  const { messages, tools } = row;
  const begun = messages.at(-1)!.role === ASSISTANT ? messages.slice(0, -1) : messages;
  return tools ? { messages: begun, tools } : begun;
}
