/** A metav1.Status as the API server answers with. */
export function fakeStatus(
  code: number,
  reason: string,
  message: string,
  more: { readonly details?: unknown; readonly continue?: string | undefined } = {},
): { kind: 'Status'; apiVersion: 'v1'; code: number; [more: string]: unknown } {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: more.continue ? { continue: more.continue } : {},
    status: 'Failure',
    message,
    reason,
    ...(more.details ? { details: more.details } : {}),
    code,
  }
}
