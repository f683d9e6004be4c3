import { UserError } from './user-error.ts';

/** A module that adds a definition. Pass its `import.meta`. */
export interface Module {
  url: string;
}

/** Definitions of methods or tasks, by name. Some are built in, and programs add others. */
export class Definitions<Definition> {
  /** All names, the built-in ones first. The array grows with each new definition. */
  readonly names: string[] = [];
  readonly #all = new Map<string, { definition: Definition; module?: string }>();

  constructor(
    /** The word for such a definition in messages. */
    private readonly sort: string,
    own: Readonly<Record<string, Definition>>,
  ) {
    for (const [name, definition] of Object.entries(own)) this.define(name, definition);
  }

  /**
   * Adds a definition.
   *
   * @param module the module of the program that adds it; missing for a built-in definition
   * @throws UserError for a name that cannot be a key of a config, or that already exists
   */
  define(name: string, definition: Definition, module?: Module): void {
    const problem = this.#problem(name, module);
    if (problem) throw new UserError({ where: `the ${this.sort} ${JSON.stringify(name)}`, fault: problem });
    if (!this.#all.has(name)) this.names.push(name);
    this.#all.set(name, { definition, ...(module && { module: module.url }) });
  }

  /** Returns the definition with a name, which must be one of `names`. */
  named(name: string): Definition {
    return this.#all.get(name)!.definition;
  }

  /** The address of the module that added a definition; undefined for a built-in definition. */
  moduleOf(name: string): string | undefined {
    return this.#all.get(name)?.module;
  }

  #problem(name: string, module: Module | undefined): string | undefined {
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      return 'must have a name of small letters, digits and underscores, such as my_name';
    const taken = this.#all.get(name);
    // A module may run twice in a thread, for example when it changes during development.
    if (!taken || (module && taken.module === module.url)) return undefined;
    return taken.module ? `is already defined by ${taken.module}` : 'is built in: choose another name';
  }
}
