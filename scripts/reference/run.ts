import { writeFileSync } from 'node:fs';
import { createProgram } from '../../src/faces/cli/run-command.ts';
import { configSchema } from '../config-files/config-schema.ts';
import { ConfigTypes } from '../config-files/config-types.ts';
import { commandReference } from './command-reference.ts';
import { configReference } from './config-reference.ts';

/* Writes the reference of config keys and commands: docs/config.md and docs/commands.md. */

writeFileSync('docs/config.md', configReference(configSchema(new ConfigTypes())));
writeFileSync('docs/commands.md', commandReference(createProgram()));
