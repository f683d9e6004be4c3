import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pageWords } from '../../web/page/page-words.ts';

it('a remedy names the field of the page instead of the key', () => {
  const said = pageWords('Raise training.num_train_epochs (now 2, 6 steps), or try a larger model.');
  const [, field] = said.match(/^Raise “(.*)” \(now 2, 6 steps\), or try a larger model\.$/) ?? [];
  expect(readFileSync('web/index.html', 'utf8')).toContain(`<label for="epochs">${field}</label>`);
});
