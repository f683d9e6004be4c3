import { UserError } from './user-error.ts';

/** The module that defines something, such as `import.meta`. */
export interface Module {
  url: string;
}

/** Modules of programs that have added definitions. Other threads import them again. */
const modules = new Set<string>();

/** The addresses of the modules of the calling program that have added definitions, in their order. */
export function definingModules(): string[] {
  return [...modules];
}

/** Definitions of one kind by name: the program's own, and those that calling programs add. */
export class Definitions<Definition> {
  /** All names, the program's own first. The array grows with each definition. */
  readonly names: string[] = [];
  readonly #all = new Map<string, { definition: Definition; module?: string }>();

  constructor(
    /** The word for a definition in messages. */
    private readonly sort: string,
    own: Readonly<Record<string, Definition>>,
  ) {
    for (const [name, definition] of Object.entries(own)) this.define(name, definition);
  }

  /**
   * Adds a definition.
   *
   * @param module the module of another program; missing for own definitions
   * @throws UserError for a name that cannot be a key of a config, or that is taken
   */
  define(name: string, definition: Definition, module?: Module): void {
    const problem = this.#problem(name, module);
    if (problem) throw new UserError({ where: `the ${this.sort} ${JSON.stringify(name)}`, fault: problem });
    if (!this.#all.has(name)) this.names.push(name);
    this.#all.set(name, { definition, ...(module && { module: module.url }) });
    if (module) modules.add(module.url);
  }

  /** The definition with a name, which must be one of `names`. */
  named(name: string): Definition {
    return this.#all.get(name)!.definition;
  }

  /** The address of the module that has added it; undefined for an own definition. */
  moduleOf(name: string): string | undefined {
    return this.#all.get(name)?.module;
  }

  #problem(name: string, module: Module | undefined): string | undefined {
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      return 'must have a name of small letters, digits and underscores, such as my_name';
    const taken = this.#all.get(name);
    // A module may run twice in one thread, for example after a change during development.
    if (!taken || (module && taken.module === module.url)) return undefined;
    return taken.module ? `is already defined by ${taken.module}` : 'is built in: choose another name';
  }
}
