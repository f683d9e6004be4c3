import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../support/user-error.ts';
import { matchTargets, type TargetSelection } from './target-modules.ts';

interface Fixture {
  paths: string[];
  selections: { selection: TargetSelection; matched: string[] }[];
}

const { paths, selections } = JSON.parse(readFileSync('src/tuners/fixtures/oracle.json', 'utf8')) as Fixture;

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
      `"target_modules: expected names of linear layers, got "querry". Did you mean query?"`,
    );
    expect(messageOf({ target_modules: ['output.dens'] })).toMatchInlineSnapshot(
      `"target_modules: expected names of linear layers, got "output.dens". Did you mean output.dense?"`,
    );
    expect(messageOf({ target_modules: ['q_lin_something'] })).toMatchInlineSnapshot(
      `"target_modules: expected names of linear layers, got "q_lin_something". Known: query, value, dense, classifier, up_proj."`,
    );
    expect(messageOf({ target_modules: '.*querry' })).toMatchInlineSnapshot(
      `"target_modules: expected a linear layer, got the regular expression ".*querry", which matches none of 18. It must match the whole path. Did you mean query?"`,
    );
    expect(messageOf({ target_modules: 'query' })).toMatchInlineSnapshot(
      `"target_modules: expected a linear layer, got the regular expression "query", which matches none of 18. Write [query] for the layers of that name."`,
    );
  });

  it('explains an empty selection', () => {
    expect(messageOf({ target_modules: ['query'], exclude_modules: 'bert.*' })).toMatchInlineSnapshot(
      `"\`target_modules\` names 3 layers, and exclude_modules or modules_to_save names all of them."`,
    );
    expect(messageOf({ target_modules: ['query'], layers_to_transform: [12] })).toMatchInlineSnapshot(
      `"layers_to_transform: expected layers that hold query, got 12."`,
    );
  });

  it('rejects incompatible settings, and an invalid regular expression', () => {
    expect(messageOf({ target_modules: '.*', layers_to_transform: 1 })).toMatchInlineSnapshot(
      `"layers_to_transform: expected target_modules to be a list of names, got ".*". List the names, or put the layer numbers into the regular expression."`,
    );
    expect(messageOf({ target_modules: ['query'], layers_pattern: 'layer' })).toMatchInlineSnapshot(
      `"layers_pattern: expected layers_to_transform beside it, got none."`,
    );
    expect(messageOf({ target_modules: '(query' })).toMatchInlineSnapshot(
      `"target_modules: expected a regular expression, got "(query"."`,
    );
    expect(messageOf({ target_modules: 'q'.repeat(10_001) })).toMatchInlineSnapshot(
      `"target_modules: expected at most 10000 characters, got 10001."`,
    );
  });
});
