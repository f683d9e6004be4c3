import { Environment, Template } from '@huggingface/jinja';
import { UserError } from '../../../support/user-error.ts';
import type { SpecialTokens } from '../special-tokens.ts';
import { BadConversation } from './bad-conversation.ts';
import type { ChatMessage } from './chat-message.ts';
import { LimitedInterpreter } from './limited-interpreter.ts';

const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Python's `strftime` in English, for the codes that chat templates use. Other codes are not replaced. */
export function strftime(date: Date, format: string): string {
  const two = (value: number) => `${value}`.padStart(2, '0');
  const month = MONTHS[date.getMonth()]!;
  const day = DAYS[date.getDay()]!;
  const parts: Record<string, string> = {
    Y: `${date.getFullYear()}`,
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    H: two(date.getHours()),
    I: two(date.getHours() % 12 || 12),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    p: date.getHours() < 12 ? 'AM' : 'PM',
    '%': '%',
  };
  return format.replace(/%(.)/g, (code, letter: string) => parts[letter] ?? code);
}

/** Maximum length of a template. The longest known templates have about 30,000 characters. */
const MAX_TEMPLATE_LENGTH = 2 ** 20;
/** Maximum length of a `range`. Templates loop over messages and tools, and each number takes memory. */
const MAX_RANGE = 100_000;

export interface ChatTemplateOptions {
  /** Path of the template's file, for messages. */
  where: string;
  /** The time that `strftime_now` returns. Default: the time of each call. */
  now?: () => Date;
}

/**
 * A chat template: Jinja code that renders a conversation as one text, like transformers' `apply_chat_template` without
 * tools and documents. Templates come with models and may be hostile. They have no access to anything outside, and
 * their output and loops are limited.
 */
export class ChatTemplate {
  readonly #parsed: Template['parsed'];
  readonly #tokens: SpecialTokens;
  readonly #options: Required<ChatTemplateOptions>;

  /**
   * @throws UserError for a template that is too long or invalid
   */
  constructor(source: string, tokens: SpecialTokens, options: ChatTemplateOptions) {
    const { where } = options;
    this.#tokens = tokens;
    this.#options = { now: () => new Date(), ...options };
    if (source.length > MAX_TEMPLATE_LENGTH) {
      throw new UserError({
        where,
        fault: `has ${source.length} characters, more than the maximum of ${MAX_TEMPLATE_LENGTH}`,
      });
    }
    try {
      this.#parsed = new Template(source).parsed;
    } catch (error) {
      throw new UserError({
        where,
        fault: `is not a valid chat template (Jinja): ${(error as Error).message}`,
      });
    }
  }

  /**
   * Renders a conversation, with the generation prompt if `addGenerationPrompt` is set. The result contains special
   * tokens as text. Tokenize it without adding any.
   *
   * @throws BadConversation if the template rejects the conversation or fails; UserError if it does not end
   */
  render(messages: readonly ChatMessage[], addGenerationPrompt: boolean): string {
    const { where } = this.#options;
    try {
      return this.#run(messages, addGenerationPrompt);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new BadConversation({
        where,
        fault: `refuses the conversation: ${error instanceof Refusal ? error.message : (error as Error).message}`,
      });
    }
  }

  #run(messages: readonly ChatMessage[], addGenerationPrompt: boolean): string {
    const environment = new Environment();
    const variables = {
      ...GLOBALS,
      strftime_now: (format: unknown) => strftime(this.#options.now(), String(format)),
      ...this.#tokens,
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: addGenerationPrompt,
    };
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    return String(new LimitedInterpreter(environment, this.#options.where).run(this.#parsed).value);
  }
}

/** Thrown when a template calls `raise_exception`. */
class Refusal extends Error {}

const GLOBALS = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  raise_exception: (message: unknown) => {
    throw new Refusal(`"${message}"`);
  },
};

/** Python's `range`. */
function range(first: number, end?: number, step = 1): number[] {
  const [start, stop] = end === undefined ? [0, first] : [first, end];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAX_RANGE))
    throw new Error(`range() has ${length} numbers, more than the maximum of ${MAX_RANGE}`);
  return Array.from({ length }, (_, i) => start + i * step);
}
