import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ALLOWED_LICENCES, licencePage } from '../scripts/licences.ts';

it('the page of licences lists all installed packages (npx tsx scripts/licences.ts > THIRD_PARTY_LICENCES.md)', () => {
  const page = readFileSync('THIRD_PARTY_LICENCES.md', 'utf8');
  expect(page).toBe(licencePage());
  expect(page).not.toContain('see the package');
  const kinds = new Set([...page.matchAll(/^\| `.*\| (.+) \|$/gm)].map(([, licence]) => licence));
  for (const kind of kinds) expect(kind).toMatch(ALLOWED_LICENCES);
});
