// What people come for, done as they would do it.
export async function tasks() {
  return [];
}
