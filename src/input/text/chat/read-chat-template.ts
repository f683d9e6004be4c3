import { UserError } from '../../../support/user-error.ts';
import { type Files, pathIn, readFile } from '../../formats/files.ts';
import { parseSmallJson } from '../../formats/small-json.ts';
import { utf8Text } from '../../formats/utf8-text.ts';
import { MAX_TOKENIZER_BYTES, TOKENIZER_FILES } from '../build-tokenizer.ts';
import type { SpecialTokens } from '../special-tokens.ts';
import { ChatTemplate } from './chat-template.ts';

/** File name of a chat template in a model's folder. */
export const CHAT_TEMPLATE_FILE = 'chat_template.jinja';

/** Maximum size of a template's file, in bytes. */
const MAX_BYTES = 2 ** 22;

/**
 * Reads a model's chat template: `chat_template.jinja`, or `chat_template` of tokenizer_config.json. If several templates
 * have names, it is the one named "default".
 *
 * @param tokenizer the tokenizer's files by name, if they have been read
 * @returns the template's file, if it has its own, and a function that parses the template. Its `now` is the time that
 * the template sees, by default the time of each rendering. It throws a UserError if there is no template.
 * @throws UserError for a file that is too large
 */
export async function readChatTemplate(files: Files, tokenizer?: ReadonlyMap<string, Uint8Array>) {
  const path = (name: string) => pathIn(files.name, name);
  const file = await readFile(files, CHAT_TEMPLATE_FILE, MAX_BYTES);
  const settings = tokenizer
    ? tokenizer.get(TOKENIZER_FILES.config)
    : await readFile(files, TOKENIZER_FILES.config, MAX_TOKENIZER_BYTES);
  const find = (): { source: string; where: string } => {
    const where = path(CHAT_TEMPLATE_FILE);
    if (file) return { source: utf8Text(file, where), where };
    const content = settings && parseSmallJson(settings, path(TOKENIZER_FILES.config));
    const source = templateOf((Object(content) as { chat_template?: unknown }).chat_template);
    if (source !== undefined) return { source, where: `${path(TOKENIZER_FILES.config)}: chat_template` };
    throw new UserError({
      where: files.name,
      fault: `has no chat template (${CHAT_TEMPLATE_FILE}), which data of messages needs`,
      hint: "Use a chat model, or put another model's chat_template.jinja into its folder.",
    });
  };
  const parse = (tokens: SpecialTokens, now?: Date): ChatTemplate => {
    const { source, where } = find();
    return new ChatTemplate(source, tokens, { where, ...(now && { now: () => now }) });
  };
  return { file, parse };
}

/** Returns a template, or the default one in a list of named templates. */
function templateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((entry) => entry?.name === 'default')?.template;
  return typeof named === 'string' ? named : undefined;
}
