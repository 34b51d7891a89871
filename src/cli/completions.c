/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A shell function for each shell: the verbs, then of each verb its options, the words that an option or the
   first argument may be, else files where files are taken. Called by verb_table.c. */
#include "cli/completions.h"

#include <stdio.h>

#include "base/die.h"

const char *completions_shell(size_t position)
{
    static const char *const shells[] = { "bash", "zsh", NULL };
    return shells[position];
}

static bool takes_word(const struct verb_option *row)
{
    return row->kind != OPTION_SWITCH && row->kind != OPTION_MAYBE;
}

static const char *(*words_of(const struct verb_option *row))(size_t position)
{
    return row->choice ? row->choice : row->completion;
}

/* Numbers, times and texts that are looked for are no names of files. */
static bool may_be_file(const struct verb_option *row)
{
    return (row->kind == OPTION_WORD || row->kind == OPTION_NAMED) && !words_of(row);
}

static void words_print(const char *(*word)(size_t position))
{
    for (size_t i = 0; word(i); i++) printf("%s%s", i ? " " : "", word(i));
}

/* --- bash --- */

static const char bash_head[] =
    "# bash completion of sekimori, made by `sekimori completions bash`\n"
    "_sekimori() {\n"
    "    local verb=${COMP_WORDS[1]-} word=${COMP_WORDS[COMP_CWORD]-} before=${COMP_WORDS[COMP_CWORD-1]-}\n"
    "    local options= valued= first= values= files= i\n"
    "    COMPREPLY=()\n"
    "    # --option=WORD comes as three words, where = parts words.\n"
    "    if [[ $word == = ]]; then\n"
    "        word=\n"
    "    elif [[ $before == = && $COMP_CWORD -gt 2 ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    if ((COMP_CWORD == 1)); then\n";

static const char bash_tail[] =
    "    esac\n"
    "    if [[ -n $values ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
    "    elif [[ $files == value ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
    "    elif [[ $files == none ]]; then\n"
    "        :\n"
    "    elif [[ $word == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$options --help\" -- \"$word\"))\n"
    "    else\n"
    "        for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "            if [[ $valued == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
    "                [[ ${COMP_WORDS[i+1]} != = ]] || ((i++))\n"
    "                ((i++))\n"
    "            elif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
    "                first=\n"
    "            fi\n"
    "        done\n"
    "        [[ -z $first ]] || COMPREPLY=($(compgen -W \"$first\" -- \"$word\"))\n"
    "        if [[ $files == arguments ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            COMPREPLY+=($(compgen -f -- \"$word\"))\n"
    "        fi\n"
    "    fi\n"
    "}\n"
    "complete -F _sekimori sekimori\n";

/* "--config" or, where it has one, "--config|-c". */
static void pattern_print(const struct verb_option *row)
{
    printf("        --%s", row->name);
    if (row->letter) printf("|-%c", row->letter);
    fputs(") ", stdout);
}

static void bash_option_print(const struct verb_option *row)
{
    if (row->kind == OPTION_SWITCH || (row->kind == OPTION_MAYBE && !words_of(row))) return;
    pattern_print(row);
    if (words_of(row)) {
        fputs("values=\"", stdout);
        words_print(words_of(row));
        fputs("\" ;;\n", stdout);
    } else {
        printf("files=%s ;;\n", may_be_file(row) ? "value" : "none");
    }
}

static void valued_print(const struct verb_option *row)
{
    if (!takes_word(row)) return;
    printf("--%s ", row->name);
    if (row->letter) printf("-%c ", row->letter);
}

static void bash_verb_print(const struct verb_usage *usage)
{
    printf("    %s)\n        options=\"", usage->verb);
    for (const struct verb_option *row = usage->table; row->name; row++)
        printf("%s--%s", row == usage->table ? "" : " ", row->name);
    fputs("\"\n        valued=\" ", stdout);
    for (const struct verb_option *row = usage->table; row->name; row++) valued_print(row);
    fputs("\"\n", stdout);
    if (usage->word) {
        fputs("        first=\"", stdout);
        words_print(usage->word);
        fputs("\"\n", stdout);
    }
    if (usage->takes_files) fputs("        files=arguments\n", stdout);
    fputs("        case $before in\n", stdout);
    for (const struct verb_option *row = usage->table; row->name; row++) bash_option_print(row);
    fputs("        esac ;;\n", stdout);
}

static void bash_print(const struct verb *verbs, size_t count)
{
    fputs(bash_head, stdout);
    fputs("        COMPREPLY=($(compgen -W \"", stdout);
    for (size_t i = 0; i < count; i++) printf("%s ", verbs[i].name);
    fputs("--help --version\" -- \"$word\"))\n        return\n    fi\n    case $verb in\n", stdout);
    for (size_t i = 0; i < count; i++) bash_verb_print(verbs[i].usage);
    fputs("    --version)\n        options=--json ;;\n", stdout);
    fputs(bash_tail, stdout);
}

/* --- zsh --- */

/* A text inside '…', where _describe wants a backslash before a colon. */
static void zsh_text_print(const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (*text == ':' || *text == '\\')
            printf("\\%c", *text);
        else
            putchar(*text);
}

/* "()" offers nothing; a blank would be a message, which keeps options from being completed. */
static void zsh_value_print(const struct verb_option *row)
{
    if (words_of(row)) {
        printf(":%s:(", row->name);
        words_print(words_of(row));
        putchar(')');
    } else {
        printf(":%s:%s", row->name, may_be_file(row) ? "_files" : "()");
    }
}

/* Each may stand again, since many are lists. */
static void zsh_option_print(const struct verb_option *row)
{
    static const char *const signs[] = { "", "=", "=-" };
    int sign = row->kind == OPTION_MAYBE ? 2 : takes_word(row);
    printf(" \\\n            '*--%s%s", row->name, signs[sign]);
    if (sign == 2) putchar(':');
    if (sign) zsh_value_print(row);
    putchar('\'');
    if (!row->letter) return;
    printf(" \\\n            '*-%c%s", row->letter, sign ? "+" : "");
    if (sign) zsh_value_print(row);
    putchar('\'');
}

static void zsh_verb_print(const struct verb_usage *usage)
{
    printf("    %s)\n        _arguments -s -S '(-h --help)'{-h,--help}", usage->verb);
    for (const struct verb_option *row = usage->table; row->name; row++) zsh_option_print(row);
    if (usage->word) {
        fputs(" \\\n            '1:word:(", stdout);
        words_print(usage->word);
        fputs(")'", stdout);
    }
    printf(" \\\n            '*:argument:%s' ;;\n", usage->takes_files ? "_files" : "()");
}

static void zsh_print(const struct verb *verbs, size_t count)
{
    fputs("#compdef sekimori\n# zsh completion of sekimori, made by `sekimori completions zsh`\n"
          "local -a verbs\nverbs=(\n",
          stdout);
    for (size_t i = 0; i < count; i++) {
        printf("    '%s:", verbs[i].name);
        zsh_text_print(verbs[i].help);
        fputs("'\n", stdout);
    }
    fputs(")\nif ((CURRENT == 2)); then\n    _describe verb verbs\n    compadd -- --help --version\n"
          "    return\nfi\nshift words\n((CURRENT--))\ncase $words[1] in\n",
          stdout);
    for (size_t i = 0; i < count; i++) zsh_verb_print(verbs[i].usage);
    fputs("    --version)\n        _arguments --json ;;\nesac\n", stdout);
}

void completions_print(const char *shell, const struct verb *verbs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!verbs[i].usage) bug("the verb %s has no options in the table", verbs[i].name);
    (strcmp(shell, completions_shell(0)) == 0 ? bash_print : zsh_print)(verbs, count);
}
