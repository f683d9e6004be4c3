import { Environment, Interpreter, type RuntimeValue, Template } from '@huggingface/jinja';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import { parseSmallJson } from '../../formats/bounded-json.ts';
import { utf8Text } from '../../formats/excerpt.ts';
import { type Files, pathIn, readFile } from '../../formats/files.ts';
import { MAX_TOKENIZER_BYTES, TOKENIZER_FILES } from '../build-tokenizer.ts';
import { commonPrefix, type LearntIds } from '../learnt-ids.ts';
import type { SpecialTokens } from '../special-tokens.ts';
import type { TextTokenizer } from '../tokenizer.ts';

/** Thrown if the chat template rejects a conversation. It may accept other conversations. */
export class BadConversation extends UserError {}

/** A message of a conversation, as chat templates read it. Further keys (`tool_calls`, `name`) are passed on. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

/** Functions that a model may call: JSON schemas, as OpenAI's API and transformers have them. */
export type ChatTools = readonly object[];

/** The role whose messages a model learns to write. */
export const ASSISTANT = 'assistant';

/**
 * The tokens of a conversation. The assistant's turns are learned. To find a turn, the messages are rendered without it
 * (with the generation prompt) and with it. The turn's tokens are between the common prefix and the common suffix of
 * both.
 *
 * @throws BadConversation if the template rejects the conversation; also if it renders earlier messages differently
 * when others follow, because then a turn cannot be located
 */
export function conversationIds(
  tokenizer: TextTokenizer,
  template: Pick<ChatTemplate, 'render'>,
  messages: readonly ChatMessage[],
  tools?: ChatTools,
): LearntIds {
  const text = template.render(messages, false, tools);
  const ids = tokenizer.ids(text);
  const learnt = new Uint8Array(ids.length);
  messages.forEach(({ role }, turn) => {
    if (role !== ASSISTANT) return;
    const before = template.render(messages.slice(0, turn), true, tools);
    const after = template.render(messages.slice(0, turn + 1), false, tools);
    if (!after.startsWith(before)) throw noTurn(turn + 1);
    // Templates of models that think, such as Qwen 3, drop the thoughts of a turn when others follow.
    const ends = text.startsWith(after) ? after : before + after.slice(before.length).replace(THOUGHTS, '');
    if (!text.startsWith(ends)) throw noTurn(turn + 1);
    learnt.fill(1, commonPrefix(ids, tokenizer.ids(before)), commonPrefix(ids, tokenizer.ids(ends)));
  });
  return { ids, learnt };
}

const THOUGHTS = /^\s*<think>[\s\S]*?<\/think>\s*/;

function noTurn(turn: number): BadConversation {
  return new BadConversation({
    where: `message ${turn}`,
    fault: 'changes the text before it in this chat template, so turns cannot be told apart',
    hint: 'Split the conversation into rows that end with one answer each, or set completion_only_loss: false.',
  });
}

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

interface ChatTemplateOptions {
  /** Path of the template's file, for messages. */
  where: string;
  /** The time that `strftime_now` returns. Default: the time of each call. */
  now?: () => Date;
  /** The template for conversations with tools, if the model has a separate one. */
  forTools?: string | undefined;
}

/**
 * A chat template: Jinja code that renders a conversation as one text, like transformers' `apply_chat_template` without
 * documents. Templates come with models and may be hostile. They have no access to anything outside, and
 * their output and loops are limited.
 */
export class ChatTemplate {
  readonly #parsed: Template['parsed'];
  readonly #tokens: SpecialTokens;
  readonly #options: { where: string; now: () => Date };
  readonly #forTools: ChatTemplate | undefined;

  /**
   * @throws UserError for a template that is too long or invalid
   */
  constructor(source: string, tokens: SpecialTokens, options: ChatTemplateOptions) {
    const { where, now = () => new Date(), forTools } = options;
    this.#tokens = tokens;
    this.#options = { where, now };
    this.#forTools = forTools === undefined ? undefined : new ChatTemplate(forTools, tokens, { where, now });
    if (source.length > MAX_TEMPLATE_LENGTH) {
      throw new InvalidFile({
        where,
        fault: `has ${source.length} characters, more than the maximum of ${MAX_TEMPLATE_LENGTH}`,
      });
    }
    try {
      this.#parsed = new Template(source).parsed;
    } catch (error) {
      throw new InvalidFile({
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
  render(messages: readonly ChatMessage[], addGenerationPrompt: boolean, tools?: ChatTools): string {
    if (tools && this.#forTools) return this.#forTools.render(messages, addGenerationPrompt, tools);
    const { where } = this.#options;
    try {
      return this.#run(messages, addGenerationPrompt, tools);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new BadConversation({
        where,
        fault: `refuses the conversation: ${error instanceof Refusal ? error.message : (error as Error).message}`,
      });
    }
  }

  #run(
    messages: readonly ChatMessage[],
    addGenerationPrompt: boolean,
    tools: ChatTools | null = null,
  ): string {
    const environment = new Environment();
    const variables = {
      ...GLOBALS,
      strftime_now: (format: unknown) => strftime(this.#options.now(), String(format)),
      ...this.#tokens,
      messages,
      tools,
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

/** File name of a chat template in a model's folder. */
export const CHAT_TEMPLATE_FILE = 'chat_template.jinja';

/** Maximum size of a template's file, in bytes. */
const MAX_BYTES = 2 ** 22;

/**
 * Reads a model's chat template: `chat_template.jinja`, or `chat_template` of tokenizer_config.json. If several templates
 * have names, it is the one named "default", and "tool_use" for conversations with tools.
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
  const small = new Map(
    Object.entries({ [CHAT_TEMPLATE_FILE]: file, [TOKENIZER_FILES.config]: settings }).flatMap(
      ([name, bytes]) => (bytes ? [[name, bytes]] : []),
    ),
  );
  const parse = (tokens: SpecialTokens, now?: Date): ChatTemplate => {
    const found = findTemplate(small, path);
    if (!found)
      throw new UserError({
        where: files.name,
        fault: `has no chat template (${CHAT_TEMPLATE_FILE}), which data of messages needs`,
        hint: "Use a chat model, or put another model's chat_template.jinja into its folder.",
        code: 'unsupported',
      });
    const { source, ...options } = found;
    return new ChatTemplate(source, tokens, { ...options, ...(now && { now: () => now }) });
  };
  return { file, parse };
}

/**
 * Begins a template that would drop tools without a word, as those of small chat models do. The first question is
 * preceded by the functions; calls and results become texts, in the form of Qwen 2.5. Without tools, the text stays
 * the same.
 */
const WITH_TOOLS = `{%- if tools %}
{%- set spelled = namespace(turns=[], functions='') %}
{%- for tool in tools %}
{%- set spelled.functions = spelled.functions ~ '\\n' ~ (tool | tojson) %}
{%- endfor %}
{%- for message in messages %}
{%- set turn = namespace(role=message.role, content=message.content or '') %}
{%- if message.role == 'tool' %}
{%- set turn.role = 'user' %}
{%- set turn.content = '<tool_response>\\n' ~ turn.content ~ '\\n</tool_response>' %}
{%- elif message.role == 'user' and spelled.functions %}
{%- set turn.content = 'Functions:' ~ spelled.functions ~ '\\nTo call one, write <tool_call>{"name": ..., "arguments": ...}</tool_call>\\n\\n' ~ turn.content %}
{%- set spelled.functions = '' %}
{%- endif %}
{%- for call in message.tool_calls or [] %}
{%- set called = call.function or call %}
{%- set values = called.arguments if called.arguments is string else called.arguments | tojson %}
{%- set turn.content = turn.content ~ ('\\n' if turn.content else '') ~ '<tool_call>{"name": ' ~ (called.name | tojson) ~ ', "arguments": ' ~ values ~ '}</tool_call>' %}
{%- endfor %}
{%- set spelled.turns = spelled.turns + [{'role': turn.role, 'content': turn.content}] %}
{%- endfor %}
{%- set messages = spelled.turns %}
{%- endif %}{{- '' }}`;

/**
 * The source of a model's chat template, and of the one for tools. A template that knows no tools is preceded by one
 * that spells them. Undefined if the files of this name have none.
 */
export function findTemplate(
  files: ReadonlyMap<string, Uint8Array>,
  path: (name: string) => string,
): { source: string; where: string; forTools?: string | undefined } | undefined {
  const found = readTemplates(files, path);
  const spelled = spelledTemplate(files, path);
  return found && spelled ? { ...found, source: spelled } : found;
}

/**
 * A model's chat template, preceded by one that spells tools. Folders of trained models get it, because other programs
 * would drop the tools. Undefined for a template that knows tools.
 */
export function spelledTemplate(...named: Parameters<typeof readTemplates>): string | undefined {
  const found = readTemplates(...named);
  if (!found || found.forTools !== undefined || /\btools\b/.test(found.source)) return undefined;
  return WITH_TOOLS + found.source;
}

function readTemplates(
  files: ReadonlyMap<string, Uint8Array>,
  path: (name: string) => string,
): { source: string; where: string; forTools?: string | undefined } | undefined {
  const where = path(CHAT_TEMPLATE_FILE);
  const file = files.get(CHAT_TEMPLATE_FILE);
  if (file) return { source: utf8Text(file, where), where };
  const settings = files.get(TOKENIZER_FILES.config);
  const content = settings && parseSmallJson(settings, path(TOKENIZER_FILES.config));
  const { chat_template: templates } = Object(content) as { chat_template?: unknown };
  const source = readTemplate(templates);
  if (source === undefined) return undefined;
  return {
    source,
    where: `${path(TOKENIZER_FILES.config)}: chat_template`,
    forTools: readTemplate(templates, 'tool_use'),
  };
}

/** Returns a template, or the one with this name in a list of named templates. */
function readTemplate(value: unknown, name = 'default'): string | undefined {
  if (typeof value === 'string') return name === 'default' ? value : undefined;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((entry) => entry?.name === name)?.template;
  return typeof named === 'string' ? named : undefined;
}

/**
 * Maximum number of characters in a text, more than any model reads. Intermediate text may be split into single
 * characters, which take a hundred bytes each.
 */
const MAX_CHARACTERS = 2 ** 22;
/** Maximum number of values in a list, including nested lists. */
const MAX_VALUES = 2 ** 20;
/**
 * Maximum number of steps: about 3 seconds. A message needs some dozens. Each step may add to a text that is only joined
 * at the end.
 */
const MAX_STEPS = 2 ** 20;
/** The number of characters, or of values in a list, on which work takes a step. */
const READ_IN_A_STEP = 64;

/**
 * A Jinja interpreter for hostile templates. It limits their steps and the size of all values, also of intermediate
 * values.
 */
class LimitedInterpreter extends Interpreter {
  readonly #where: string;
  readonly #values = new WeakMap<object, number>();
  /** The expressions of loops. Each of their values takes a step, even if the loop's body is empty. */
  readonly #looped = new WeakSet<object>();
  #steps = 0;

  /** @param where the template's file, for messages */
  constructor(environment: Environment, where: string) {
    super(environment);
    this.#where = where;
  }

  /**
   * @throws UserError if a limit is exceeded
   */
  override evaluate(statement: unknown, environment: Environment): RuntimeValue {
    this.#step(1);
    const node = Object(statement) as { type?: string; iterable?: { lhs?: object } };
    if (node.type === 'For') this.#looped.add(node.iterable!.lhs ?? node.iterable!);
    const made = super.evaluate(statement, environment);
    const isNew = Array.isArray(made.value) && !this.#values.has(made.value);
    const size = typeof made.value === 'string' ? made.value.length : this.#count(made.value);
    if (typeof made.value === 'string') this.#check(size, MAX_CHARACTERS, 'characters of text');
    else this.#check(size, MAX_VALUES, 'values in a list');
    this.#step(isNew || this.#looped.has(node) ? size : size / READ_IN_A_STEP);
    return made;
  }

  #step(count: number): void {
    this.#steps += Math.floor(count);
    this.#check(this.#steps, MAX_STEPS, 'steps to a text');
  }

  /**
   * Counts the values in a list and its nested lists. A list that occurs several times counts each time, because each
   * occurrence may be printed.
   */
  #count(list: unknown): number {
    if (!Array.isArray(list)) return 1;
    const known = this.#values.get(list);
    if (known !== undefined) return known;
    const count = list.reduce<number>((sum, { value }: RuntimeValue) => sum + this.#count(value), 1);
    this.#values.set(list, count);
    return count;
  }

  #check(count: number, most: number, what: string): void {
    if (count <= most) return;
    throw new InvalidFile({
      where: this.#where,
      fault: `made ${count} ${what}, more than the maximum of ${most}`,
    });
  }
}
