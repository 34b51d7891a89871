# SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception
"""Which system calls a running process may make: its filters are taken from the kernel and followed for each call, so that what is
read is what holds. Root alone may ask; the process stands still for that time."""
import ctypes
import functools
import os
import struct

SEIZE, INTERRUPT, DETACH, GET_FILTER = 0x4206, 0x4207, 17, 0x420C
WAIT_ALL = 0x40000000
FILTER_MOST, CALLS_MOST = 4096, 470
ARCH_X86_64 = 0xC000003E
NUMBER, ARCH = 0, 4  # of struct seccomp_data
KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, ALLOW = 0x80000000, 0, 0x30000, 0x50000, 0x7FFF0000
STRICTEST_FIRST = (KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, ALLOW)

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, address=None, data=None):
    result = libc.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {pid}: {os.strerror(ctypes.get_errno())}")
    return result


def filters_of(pid):
    """Each filter as a list of (code, jump if true, jump if false, k). The last that was set comes first."""
    ptrace(SEIZE, pid)
    try:
        ptrace(INTERRUPT, pid)
        os.waitpid(pid, WAIT_ALL)
        found, room = [], ctypes.create_string_buffer(8 * FILTER_MOST)
        with open(f"/proc/{pid}/status") as status:
            count = int(next(line.split()[1] for line in status if line.startswith("Seccomp_filters")))
        for index in range(count):
            length = ptrace(GET_FILTER, pid, index, ctypes.addressof(room))
            found.append([struct.unpack_from("<HBBI", room, 8 * at) for at in range(length)])
        return found
    finally:
        ptrace(DETACH, pid)


def outcomes(program, number):
    """Every end that this call may come to, whatever its arguments are. A value is None where it depends on them."""
    ends, seen, waiting = set(), set(), [(0, None)]
    while waiting:
        at, value = waiting.pop()
        if (at, value) in seen:
            continue
        seen.add((at, value))
        code, if_true, if_false, k = program[at]
        if code == 0x20:  # load a word
            waiting.append((at + 1, {NUMBER: number, ARCH: ARCH_X86_64}.get(k)))
        elif code == 0x06:  # return
            ends.add(k)
        elif code == 0x05:  # jump
            waiting.append((at + 1 + k, value))
        elif code == 0x54:  # and
            waiting.append((at + 1, None if value is None else value & k))
        elif code in (0x15, 0x25, 0x35, 0x45):
            holds = None if value is None else {0x15: value == k, 0x25: value > k, 0x35: value >= k, 0x45: bool(value & k)}[code]
            waiting += [(at + 1 + jump, value) for jump, way in ((if_true, True), (if_false, False)) if holds in (None, way)]
        else:
            raise ValueError(f"instruction {code:#x} of a filter")
    return ends


def strictest(ends):
    return min(ends, key=lambda end: STRICTEST_FIRST.index(end & 0xFFFF0000))


def combined(programs, number):
    ends = {ALLOW}
    for program in programs:
        ends = {strictest((one, other)) for one in ends for other in outcomes(program, number)}
    return ends


@functools.cache
def name_of(number):
    """None where the library knows no such call."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_syscall_resolve_num_arch.argtypes = [ctypes.c_uint32, ctypes.c_int]
    library.seccomp_syscall_resolve_num_arch.restype = ctypes.c_char_p
    name = library.seccomp_syscall_resolve_num_arch(ARCH_X86_64, number)
    return name.decode() if name else None


def calls_of(pid):
    """{"read": "always", "socket": "some", "mremap": "fails 12"}: by its name, each that does not end the process. "some": with some
    arguments only."""
    programs, calls = filters_of(pid), {}
    for number in range(CALLS_MOST):
        name, ends = name_of(number), combined(programs, number)
        kinds = {end & 0xFFFF0000 for end in ends}
        if not name or kinds <= {KILL_PROCESS, KILL_THREAD, TRAP}:
            continue
        if ALLOW not in kinds:
            calls[name] = f"fails {next(end & 0xFFFF for end in ends if end & 0xFFFF0000 == ERRNO)}"
        else:
            calls[name] = "always" if kinds == {ALLOW} else "some"
    return calls
