/** Fills in what ZenML replaces in the name of a run or of a model version. */
export function expandName(
  pattern: string,
  { date, time }: { readonly date: string; readonly time: string },
): string {
  return pattern.replaceAll('{date}', date).replaceAll('{time}', time)
}
