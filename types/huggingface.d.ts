/*
 * The used parts of Hugging Face's packages. Their own declarations import files without extension, which TypeScript does
 * not resolve in packages of modules.
 */

declare module '@huggingface/tokenizers' {
  /** Compiles a pattern of tokenizer.json. `pattern` is null for an unknown kind of pattern. */
  export class SplitPreTokenizer {
    constructor(config: { type: 'Split'; pattern: { String: string } | { Regex: string } });
    readonly pattern: RegExp | null;
  }
}

declare module '@huggingface/jinja' {
  export class Environment {
    set(name: string, value: unknown): void;
  }

  export interface RuntimeValue {
    value: unknown;
  }

  /** A parsed template. */
  export interface Program {
    body: unknown[];
  }

  export class Template {
    constructor(source: string);
    readonly parsed: Program;
  }

  export class Interpreter {
    constructor(environment: Environment);
    run(program: Program): RuntimeValue;
    /** Called for every statement and expression of a program, also by itself. */
    evaluate(statement: unknown, environment: Environment): RuntimeValue;
  }
}
