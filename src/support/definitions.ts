import { UserError } from './user-error.ts';

const BUILT_IN = 'is built in: choose another name';

/** A module that adds a definition. Pass its `import.meta`. */
export interface Module {
  url: string;
}

/**
 * Definitions of methods or tasks, by name. Some are built in, and programs add others. The built-in ones are large, so
 * they are loaded with the functions that need them, which may be after a program has added its own.
 */
export class Definitions<Definition> {
  /** All names, the built-in ones first. The array grows with each new definition. */
  readonly names: string[] = [];
  readonly #all = new Map<string, { definition: Definition; module?: string }>();

  /** @param sort the word for such a definition in messages */
  constructor(private readonly sort: string) {}

  /**
   * Adds the built-in definitions, once.
   *
   * @throws UserError if a program has defined one of their names before
   */
  addBuiltIn(own: Readonly<Record<string, Definition>>): void {
    for (const name of this.names) if (Object.hasOwn(own, name)) throw this.#refused(name, BUILT_IN);
    for (const [name, definition] of Object.entries(own)) this.#all.set(name, { definition });
    this.names.unshift(...Object.keys(own));
  }

  /**
   * Adds a definition.
   *
   * @param module the module of the program that adds it
   * @throws UserError for a name that cannot be a key of a config, or that already exists
   */
  define(name: string, definition: Definition, module: Module): void {
    const problem = this.#problem(name, module);
    if (problem) throw this.#refused(name, problem);
    if (!this.#all.has(name)) this.names.push(name);
    this.#all.set(name, { definition, module: module.url });
  }

  /** Returns the definition with a name, which must be one of `names`. */
  named(name: string): Definition {
    return this.#all.get(name)!.definition;
  }

  /** The address of the module that added a definition; undefined for a built-in definition. */
  moduleOf(name: string): string | undefined {
    return this.#all.get(name)?.module;
  }

  /** The names that a module defined. */
  namesOf(url: string): string[] {
    return this.names.filter((name) => this.moduleOf(name) === url);
  }

  /** The addresses of the modules that added definitions. */
  modules(): string[] {
    return [...this.#all.values()].flatMap(({ module }) => module ?? []);
  }

  #refused(name: string, fault: string): UserError {
    return new UserError({ where: `the ${this.sort} ${JSON.stringify(name)}`, fault });
  }

  #problem(name: string, module: Module): string | undefined {
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      return 'must have a name of small letters, digits and underscores, such as my_name';
    const taken = this.#all.get(name);
    // A module may run twice in a thread, for example when it changes during development.
    if (!taken || taken.module === module.url) return undefined;
    return taken.module ? `is already defined by ${taken.module}` : BUILT_IN;
  }
}
