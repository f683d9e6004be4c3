import ts from 'typescript';

/** For each part of a config's type, the file that declares it. */
const PARTS = {
  CommonInput: 'src/training/run/config/run-config.ts',
  DescribedInput: 'src/training/run/config/run-config.ts',
  TrainingInput: 'src/training/run/config/training-section.ts',
  DataInputOf: 'src/tasks/registry.ts',
  SectionInputs: 'src/methods/tuners/registry.ts',
} as const;

export type Part = keyof typeof PARTS;

/** The types of a config, and the comment of each key in the sources. */
export class ConfigTypes {
  readonly #checker: ts.TypeChecker;
  readonly #types: ReadonlyMap<Part, ts.Type>;

  constructor() {
    const config = ts.readConfigFile('tsconfig.json', ts.sys.readFile).config;
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
    const files = [...new Set(Object.values(PARTS))];
    const program = ts.createProgram(files, { ...options, incremental: false, noEmit: true });
    this.#checker = program.getTypeChecker();
    this.#types = new Map(
      Object.entries(PARTS).map(([name, file]) => [
        name as Part,
        this.#declared(program.getSourceFile(file)!, name),
      ]),
    );
  }

  /** The file that declares a part, relative to the repository. */
  static fileOf(part: Part): string {
    return PARTS[part];
  }

  /** The comments of the keys below a part, by path: `adalora.target_r` in the sections. */
  texts(part: Part): Map<string, string> {
    const found = new Map<string, string>();
    const walk = (type: ts.Type, path: string) => {
      for (const object of this.#objectsOf(type)) {
        for (const property of this.#checker.getPropertiesOfType(object)) {
          const key = path + property.name;
          found.set(key, found.get(key) || this.#textOf(property));
          walk(this.#checker.getTypeOfSymbol(property), `${key}.`);
        }
      }
    };
    walk(this.#types.get(part)!, '');
    return found;
  }

  /** A part as TypeScript source with its comments, which the declarations of zod schemas lack. */
  declaration(part: Part): string {
    return this.#printed(this.#types.get(part)!, '');
  }

  #declared(file: ts.SourceFile, name: string): ts.Type {
    const place = file.statements.find(
      (statement): statement is ts.TypeAliasDeclaration | ts.InterfaceDeclaration =>
        (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) &&
        statement.name.text === name,
    );
    if (!place) throw new Error(`${file.fileName} declares no ${name}`);
    return this.#checker.getTypeAtLocation(place.name);
  }

  /** The object types with named keys among the members of a type. */
  #objectsOf(type: ts.Type): ts.Type[] {
    return (type.isUnion() ? type.types : [type]).filter(
      (member) =>
        member.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection) &&
        !this.#checker.isArrayType(member) &&
        this.#checker.getPropertiesOfType(member).length > 0,
    );
  }

  #textOf(property: ts.Symbol): string {
    return ts.displayPartsToString(property.getDocumentationComment(this.#checker));
  }

  #printed(type: ts.Type, indent: string): string {
    const objects = this.#objectsOf(type);
    if (objects.length === 0)
      return this.#checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
    const members = (type.isUnion() ? type.types : [type]).map((member) => {
      if (!objects.includes(member))
        return this.#checker.typeToString(member, undefined, ts.TypeFormatFlags.NoTruncation);
      const lines = this.#checker.getPropertiesOfType(member).map((key) => this.#line(key, `${indent}  `));
      return `{\n${lines.join('')}${indent}}`;
    });
    return members.join(' | ');
  }

  #line(property: ts.Symbol, indent: string): string {
    const text = this.#textOf(property).replaceAll('*/', '* /');
    const lines = text.split('\n').map((line) => `${indent} * ${line}\n`);
    const comment = text === '' ? '' : `${indent}/**\n${lines.join('')}${indent} */\n`;
    const mark = property.flags & ts.SymbolFlags.Optional ? '?' : '';
    const type = this.#printed(this.#checker.getTypeOfSymbol(property), indent);
    return `${comment}${indent}${property.name}${mark}: ${type};\n`;
  }
}
