import { markup } from '../../markup.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import { settingsOf } from '../../run/settings-of.ts';
import { part, type Section, table } from '../section.ts';

/** All settings: equal ones as a list, different ones as a table. */
export function settings(groups: readonly RunGroup[]): Section {
  const all = groups.map(({ runs: [{ facts }] }) => settingsOf(facts));
  const keys = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  // A method's own settings are in the list, because other methods have no value to compare.
  const differs = (key: string) => {
    const values = all.filter((settings) => settings.has(key)).map((settings) => settings.get(key));
    return new Set(values).size > 1;
  };
  const rows = keys.filter(differs).map((key) => [key, ...all.map((settings) => settings.get(key) ?? '–')]);
  const shared = keys.filter((key) => !differs(key));
  const body = part(
    'settings-list',
    markup`${rows.length > 0 && table('Settings', groups, rows)}<dl class="settings">${shared.map(
      (key) =>
        markup`<div><dt>${key}</dt><dd>${all.find((settings) => settings.has(key))?.get(key)}</dd></div>`,
    )}</dl>`,
  );
  return { id: 'settings', title: 'Settings', body };
}
