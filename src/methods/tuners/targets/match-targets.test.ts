import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../support/user-error.ts';
import { matchTargets, type TargetSelection } from './match-targets.ts';

interface Fixture {
  paths: string[];
  selections: { selection: TargetSelection; matched: string[] }[];
}

const { paths, selections } = JSON.parse(
  readFileSync('src/methods/tuners/fixtures/oracle.json', 'utf8'),
) as Fixture;

describe('equal to PEFT', () => {
  it.each(selections)('$selection', ({ selection, matched }) => {
    expect(matchTargets(paths, selection)).toEqual(matched);
  });
});

it('selects every linear layer except the heads and fully trained modules', () => {
  const heads = ['classifier'];
  expect(matchTargets(paths, { target_modules: 'all-linear' }, heads)).toEqual(
    paths.filter((path) => path !== 'classifier'),
  );
  const matched = matchTargets(paths, { target_modules: 'all-linear', modules_to_save: ['pooler'] }, heads);
  expect(matched).toEqual(paths.filter((path) => path !== 'classifier' && path !== 'bert.pooler.dense'));
});

describe('errors', () => {
  function messageOf(selection: TargetSelection): string {
    try {
      return matchTargets(paths, selection).join();
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }

  it('suggests the nearest names', () => {
    expect(messageOf({ target_modules: ['querry', 'value'] })).toMatchInlineSnapshot(
      `"target_modules has "querry", which is not a linear layer. Did you mean query?"`,
    );
    expect(messageOf({ target_modules: ['output.dens'] })).toMatchInlineSnapshot(
      `"target_modules has "output.dens", which is not a linear layer. Did you mean output.dense?"`,
    );
    expect(messageOf({ target_modules: ['q_lin_something'] })).toMatchInlineSnapshot(
      `"target_modules has "q_lin_something", which is not a linear layer. Known: query, value, dense, classifier, up_proj."`,
    );
    expect(messageOf({ target_modules: '.*querry' })).toMatchInlineSnapshot(
      `"target_modules is the regular expression ".*querry", which matches none of 18 linear layers. It must match the whole path. Did you mean query?"`,
    );
    expect(messageOf({ target_modules: 'query' })).toMatchInlineSnapshot(
      `"target_modules is the regular expression "query", which matches none of 18 linear layers. Write [query] for the layers of that name."`,
    );
  });

  it('explains an empty selection', () => {
    expect(messageOf({ target_modules: ['query'], exclude_modules: 'bert.*' })).toMatchInlineSnapshot(
      `"\`target_modules\` names 3 layers, and exclude_modules or modules_to_save names all of them."`,
    );
    expect(messageOf({ target_modules: ['query'], layers_to_transform: [12] })).toMatchInlineSnapshot(
      `"layers_to_transform 12 has no layer that contains query."`,
    );
  });

  it('rejects incompatible settings, and an invalid regular expression', () => {
    expect(messageOf({ target_modules: '.*', layers_to_transform: 1 })).toMatchInlineSnapshot(
      `"layers_to_transform needs target_modules as a list of names, got ".*". List the names, or put the layer numbers into the regular expression."`,
    );
    expect(messageOf({ target_modules: ['query'], layers_pattern: 'layer' })).toMatchInlineSnapshot(
      `"layers_pattern needs layers_to_transform."`,
    );
    expect(messageOf({ target_modules: '(query' })).toMatchInlineSnapshot(
      `"target_modules is not a valid regular expression: "(query"."`,
    );
    expect(messageOf({ target_modules: 'q'.repeat(10_001) })).toMatchInlineSnapshot(
      `"target_modules has 10001 characters, more than the maximum of 10000."`,
    );
  });
});
