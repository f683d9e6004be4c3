/** Keys that limit what modules keep. */
export const LIMIT_KEYS = ['min_rank', 'max_rank', 'quotas'] as const;

/** What is unusual about how a budget falls and is shared out. */
export function allocationVariants(settings: Readonly<Record<string, unknown>>): string[] {
  const { schedule = 'cubic' } = settings;
  return [
    ...(schedule === 'cubic' ? [] : [`${schedule} schedule`]),
    ...(LIMIT_KEYS.some((key) => settings[key] !== undefined) ? ['limited ranks'] : []),
  ];
}
