import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Schema } from '../scripts/config-files/config-schema.ts';
import { commandReference } from '../scripts/reference/command-reference.ts';
import { configReference } from '../scripts/reference/config-reference.ts';
import { getFacts } from '../src/faces/cli/commands.ts';
import { createProgram } from '../src/faces/cli/run-command.ts';

/* docs/config.md and docs/commands.md are generated: npx tsx scripts/reference/run.ts */

it('has every key of a config as the schema has it', () => {
  const schema = JSON.parse(readFileSync('dist/adalora.schema.json', 'utf8')) as Schema;
  expect(readFileSync('docs/config.md', 'utf8')).toBe(configReference(schema));
});

it('has every command as the program has it', () => {
  expect(readFileSync('docs/commands.md', 'utf8')).toBe(commandReference(createProgram()));
});

it('accepts the examples in the help of each command, and has their guides', async () => {
  const program = createProgram();
  const taken: string[] = [];
  for (const command of program.commands)
    command.exitOverride().action(() => void taken.push(command.name()));
  const lines = program.commands.flatMap((command) =>
    getFacts(command).examples.map((line) => ({ line, name: command.name() })),
  );
  for (const { line } of lines) {
    const words = [...line.replace(/ > .*/, '').matchAll(/"([^"]*)"|(\S+)/g)];
    await program.parseAsync(
      words.map(([, quoted, word]) => quoted ?? word!),
      { from: 'user' },
    );
  }
  expect(taken).toEqual(lines.map(({ name }) => name));
  for (const command of program.commands)
    expect(existsSync(`docs/${getFacts(command).guide}.md`), command.name()).toBe(true);
});

it('the site has every guide', () => {
  const { projectDocuments } = JSON.parse(readFileSync('typedoc.json', 'utf8')) as {
    projectDocuments: string[];
  };
  const guides = readdirSync('docs').filter((name) => name.endsWith('.md'));
  expect(guides.filter((name) => !projectDocuments.includes(`docs/${name}`))).toEqual([]);
});
