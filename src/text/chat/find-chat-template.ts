import { UserError } from '../../support/user-error.ts';

/** File name of a chat template in a model's folder. */
export const CHAT_TEMPLATE_FILE = 'chat_template.jinja';

/** Maximum size of a template's file, in bytes. */
export const MAX_CHAT_TEMPLATE_BYTES = 2 ** 22;

/** The possible sources of a chat template. `path` is for messages. */
export interface ChatTemplateSources {
  /** `chat_template.jinja`. */
  file: { path: string; text: string } | undefined;
  /** `tokenizer_config.json`. */
  tokenizerConfig: { path: string; content: unknown } | undefined;
}

/**
 * Finds a model's chat template: `chat_template.jinja`, or `chat_template` of tokenizer_config.json. If several
 * templates have names, it is the one named "default".
 *
 * @param model the model's folder, for messages
 * @throws UserError if there is no template
 */
export function findChatTemplate(
  { file, tokenizerConfig }: ChatTemplateSources,
  model: string,
): { source: string; where: string } {
  if (file) return { source: file.text, where: file.path };
  const { chat_template } = Object(tokenizerConfig?.content) as { chat_template?: unknown };
  const source = templateOf(chat_template);
  if (source !== undefined) return { source, where: `${tokenizerConfig?.path}: chat_template` };
  throw new UserError({
    where: model,
    fault: `has no chat template (${CHAT_TEMPLATE_FILE}), which data of messages needs`,
    hint: "Use a chat model, or put another model's chat_template.jinja into its folder.",
  });
}

/** Returns a template, or the default one in a list of named templates. */
function templateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((entry) => entry?.name === 'default')?.template;
  return typeof named === 'string' ? named : undefined;
}
