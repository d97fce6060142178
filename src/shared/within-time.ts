/** What is answered, or what `late` says when that takes longer. Whatever comes after that, a failure too, is dropped. */
export async function withinTime<T, Late>(
  answer: Promise<T>,
  milliseconds: number,
  late: () => Late,
): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  const inTime = answer.then((value) => ({ value }));
  inTime.catch(() => undefined);
  const first = await Promise.race([inTime, over]).finally(() => clearTimeout(timer));
  return first === null ? late() : first.value;
}
