import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { licencePage } from '../scripts/licences.ts';

it('the page of licences lists all installed packages (npx tsx scripts/licences.ts > THIRD_PARTY_LICENCES.md)', () => {
  const page = readFileSync('THIRD_PARTY_LICENCES.md', 'utf8');
  expect(page).toBe(licencePage());
  expect(page).not.toContain('see the package');
  const kinds = new Set([...page.matchAll(/^\| `.*\| (.+) \|$/gm)].map(([, licence]) => licence));
  // No licence may require more from redistributors than attribution.
  for (const kind of kinds)
    expect(kind).toMatch(/^\(?(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|BlueOak-1\.0\.0|Unlicense)\b/);
});
