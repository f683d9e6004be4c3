import { existsSync, readFileSync } from 'node:fs';

/*
 * `npx tsx scripts/licences.ts`: the licences of all installed packages, for docs/licences.md. The names come from
 * package-lock.json, so that a test detects an outdated page.
 */

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
}

/** Installed packages, by licence. */
export function licencePage(): string {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const rows = Object.entries(packages)
    .filter(([path, { dev }]) => path.startsWith('node_modules/') && !dev)
    .map(([path, locked]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return `| \`${name}\` | ${locked.version} | ${locked.license ?? licenceIn(path)} |`;
    });
  return `# Licences

This project: Apache-2.0. What an installation brings besides, as \`npx tsx scripts/licences.ts\` writes it:

| package | version | licence |
|---|---|---|
${[...new Set(rows)].sort().join('\n')}

The embedded model's weights are Apache-2.0 too; what they were learnt from is in [its README](../models/mini/README.md).
`;
}

/** From the package itself, if the lock has no licence. */
function licenceIn(path: string): string {
  const manifest = `${path}/package.json`;
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).license : 'see the package';
}

if (process.argv[1]?.endsWith('licences.ts')) process.stdout.write(licencePage());
