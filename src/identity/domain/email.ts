/** How emails compare: without case. The local part is case-sensitive by RFC 5321, and nowhere else. */
export const emailKey = (email: string): string => email.trim().toLowerCase();
