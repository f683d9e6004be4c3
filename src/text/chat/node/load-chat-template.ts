import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { UserError } from '../../../support/user-error.ts';
import type { SpecialTokens } from '../../special-tokens.ts';
import { ChatTemplate } from '../chat-template.ts';

/** A rendering takes milliseconds. */
const MAX_MS = 5_000;
/** As for the template itself, in bytes of UTF-8. */
const MAX_BYTES = 2 ** 22;

/**
 * The chat template of a model folder: `chat_template.jinja`, or `chat_template` of tokenizer_config.json, of several
 * the one named "default".
 *
 * @param now what time it is told, by default that of every rendering
 * @throws UserError where there is none
 */
export function loadChatTemplate(folder: string, tokens: SpecialTokens, now?: Date): ChatTemplate {
  const { source, where } = findTemplate(folder);
  return new ChatTemplate(source, tokens, {
    where,
    limited: (render) => limited(render, where),
    ...(now && { now: () => now }),
  });
}

function findTemplate(folder: string): { source: string; where: string } {
  const file = join(folder, 'chat_template.jinja');
  if (existsSync(file)) return { source: readLimited(file), where: file };
  const where = join(folder, 'tokenizer_config.json');
  const config = existsSync(where) ? JSON.parse(readFileSync(where, 'utf8')) : undefined;
  const source = templateOf(config?.chat_template);
  if (source !== undefined) return { source, where: `${where}: chat_template` };
  throw new UserError({
    where: folder,
    expected: 'a chat template, for data of messages (chat_template.jinja)',
    got: 'none',
    hint: "Take a model that was made for chats, or put another model's chat_template.jinja beside this one.",
  });
}

/** A template, or a list of such with names. */
function templateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((entry) => entry?.name === 'default')?.template;
  return typeof named === 'string' ? named : undefined;
}

function readLimited(path: string): string {
  const { size } = statSync(path);
  if (size <= MAX_BYTES) return readFileSync(path, 'utf8');
  throw new UserError({ where: path, expected: `at most ${MAX_BYTES} bytes`, got: `${size}` });
}

const script = new Script('work()');
const context = createContext({ work: undefined });

/** Interrupts what computes for too long: the limit of a script holds for everything that it calls. */
function limited(work: () => string, where: string): string {
  context.work = work;
  try {
    return script.runInContext(context, { timeout: MAX_MS });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new UserError({ where, expected: 'a text', got: `no end after ${MAX_MS / 1000} s` });
  }
}
