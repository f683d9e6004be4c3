import { describe, expect, it } from 'vitest';
import { UserError } from '../../support/user-error.ts';
import { type GenerationSources, generationSettings } from './generation-settings.ts';

const complaint = (sources: GenerationSources): string => {
  try {
    generationSettings(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  return '';
};

describe('generationSettings', () => {
  it("prefers the user's keys to the file's, and those to the defaults", () => {
    const generationConfig = {
      num_beams: 4,
      min_length: 5,
      top_k: 20,
      eos_token_id: 2,
      unknown: [1],
      top_p: null,
    };
    const settings = generationSettings({
      user: { min_length: 7 },
      generationConfig,
      modelConfig: { num_beams: 9 },
    });
    expect(settings).toMatchObject({ num_beams: 4, min_length: 7, top_k: 20, top_p: 1, length_penalty: 1 });
    expect(settings).toMatchObject({ eos_token_id: [2], pad_token_id: 2 });
    expect(settings.max_length).toBeUndefined();
    expect(generationSettings({ modelConfig: { num_beams: 9, hidden_size: 8 } }).num_beams).toBe(9);
    expect(generationSettings({}).top_k).toBe(50);
  });

  it('turns off keys that a user sets to null', () => {
    const generationConfig = {
      do_sample: true,
      top_k: 20,
      temperature: 0.5,
      eos_token_id: [2, 3],
      pad_token_id: -1,
    };
    const off = generationSettings({
      user: { top_k: null, temperature: null, eos_token_id: null },
      generationConfig,
    });
    expect(off).toMatchObject({ do_sample: true, top_k: 0, temperature: 1 });
    expect(off.eos_token_id).toBeUndefined();
    expect(generationSettings({ generationConfig }).pad_token_id).toBe(2);
  });

  it('reports all errors at once', () => {
    const user = {
      num_beam: 4,
      top_p: 1.5,
      early_stopping: 'no',
      eos_token_id: [],
      max_new_tokens: 0,
      length_penalty: 2,
    };
    expect(
      complaint({ user, generationConfig: { do_sample: 'yes', typical_p: 0.5 } }),
    ).toMatchInlineSnapshot(`
      "generation: num_beam is not a known key, got 4. Did you mean num_beams?
      generation: max_new_tokens must be a whole number from 1, got 0.
      generation: early_stopping must be true, false or never, got "no".
      generation: top_p must be a number from 0 to 1, got 1.5.
      generation: eos_token_id must be a token id, or a list of them, got [].
      generation_config.json: do_sample must be true or false, got "yes".
      generation: length_penalty 2 needs num_beams of 2 or more. Set that, or remove length_penalty."
    `);
    expect(complaint({ user: [1], generationConfig: 'x' })).toMatchInlineSnapshot(`
      "generation must be an object, got [1].
      generation_config.json must be an object, got "x"."
    `);
  });

  it('rejects keys without effect, only from a user', () => {
    expect(
      complaint({ user: { temperature: 0.7, top_k: 5, top_p: 0.9, min_p: 0.1 } }),
    ).toMatchInlineSnapshot(`
      "generation: temperature 0.7 needs do_sample: true. Set that, or remove temperature.
      generation: top_k 5 needs do_sample: true. Set that, or remove top_k.
      generation: top_p 0.9 needs do_sample: true. Set that, or remove top_p.
      generation: min_p 0.1 needs do_sample: true. Set that, or remove min_p."
    `);
    expect(complaint({ user: { early_stopping: true, length_penalty: 2 } })).toMatchInlineSnapshot(`
      "generation: early_stopping true needs num_beams of 2 or more. Set that, or remove early_stopping.
      generation: length_penalty 2 needs num_beams of 2 or more. Set that, or remove length_penalty."
    `);
    const generationConfig = { temperature: 0.7, top_k: 5, early_stopping: true, length_penalty: 2 };
    expect(complaint({ generationConfig })).toBe('');
    expect(complaint({ user: { temperature: 1, top_k: 50, top_p: 1, length_penalty: 1 } })).toBe('');
  });

  it('rejects contradictions', () => {
    expect(complaint({ user: { num_return_sequences: 2 } })).toContain('must be at most 1');
    expect(complaint({ user: { num_return_sequences: 4, num_beams: 3 } })).toContain('must be at most 3');
    expect(complaint({ user: { num_return_sequences: 4, do_sample: true } })).toBe('');
    expect(complaint({ user: { do_sample: true, temperature: 0 } })).toContain('set do_sample: false');
    const user = { forced_eos_token_id: [2, 3], suppress_tokens: [3, 2, 1] };
    expect(complaint({ user })).toContain('forced_eos_token_id [2,3] is suppressed by suppress_tokens');
    expect(complaint({ user: { ...user, suppress_tokens: [3] } })).toBe('');
  });

  it('rejects unsupported keys of a file, if they have an effect', () => {
    const harmless = { typical_p: 0.5, diversity_penalty: 0, num_beam_groups: 1, stop_strings: null };
    expect(complaint({ generationConfig: harmless })).toBe('');
    expect(complaint({ generationConfig: { ...harmless, do_sample: true } })).toMatchInlineSnapshot(
      `"generation_config.json: typical_p must be 1, the only supported value, got 0.5. Remove it from the file to generate without it."`,
    );
    expect(complaint({ modelConfig: { diversity_penalty: 0.5 } })).toMatchInlineSnapshot(
      `"config.json: diversity_penalty must be 0, the only supported value, got 0.5. Remove it from the file to generate without it."`,
    );
  });
});
