/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What consult asks of engine: that the command of one engine be run with a message. */
#ifndef SEKIMORI_IPC_ASK_ENGINE_H
#define SEKIMORI_IPC_ASK_ENGINE_H

enum engine_frame {
    ENGINE_RUN = 1,      /* the engine's name and the body: consult_look_put (ipc/ask_consult.h) */
    ENGINE_STOP,         /* same id: nobody waits for the answer any more */
    ENGINE_ANSWER = 128, /* same id: engine_answer_put (judge/engine_answer.h) */
    ENGINE_DIED,         /* same id, text why: a signal ended the command; it may be asked again */
};

#endif
