import { existsSync, readFileSync } from 'node:fs';

/*
 * npx tsx scripts/licences.ts
 *
 * Prints the licences of all installed packages, for THIRD_PARTY_LICENCES.md. The packages are those of
 * package-lock.json, so that a test detects an outdated page.
 */

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
}

/** Licences that require no more from redistributors than attribution. */
export const ALLOWED_LICENCES = /^\(?(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|BlueOak-1\.0\.0|Unlicense)\b/;

/** Formats the installed packages, grouped by licence. */
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
  return `# Third-party licences

adalora is Apache-2.0. \`npx tsx scripts/licences.ts\` lists the packages that an installation adds:

| package | version | licence |
|---|---|---|
${[...new Set(rows)].sort().join('\n')}

The weights of the built-in model are Apache-2.0 too. [Its README](models/mini/README.md) lists the training data.
`;
}

/** The licence in the package itself, for packages without a licence in the lock file. */
function licenceIn(path: string): string {
  const manifest = `${path}/package.json`;
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).license : 'see the package';
}

if (process.argv[1]?.endsWith('licences.ts')) process.stdout.write(licencePage());
