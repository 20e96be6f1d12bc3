// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <stdio.h>

#include "cli/commands.h"

typedef void put_flag(const struct command *command, const struct flag *flag);

// All flags of a command: its own, then those that it shares.
static void each_flag(const struct command *command, put_flag *put)
{
    for (size_t i = 0; i < command->n_flags; i++)
        put(command, &command->flags[i]);
    for (int of_scripts = 1; of_scripts >= 0; of_scripts--) {
        size_t n = 0;
        const struct flag *shared = args_shared_flags(of_scripts, &n);
        for (size_t i = 0; i < n && !(of_scripts && command->no_script); i++)
            put(command, &shared[i]);
    }
}

// Within '...' of a shell, where a quote ends them, stands alone, and begins them again.
// Of `escaped` each gets a backslash.
static void put_quoted(const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (strchr(escaped, *text) != NULL)
            putchar('\\');
        fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stdout);
    }
}

static void put_names(void)
{
    size_t n;
    const struct command *const *commands = cli_commands(&n);
    for (size_t i = 0; i < n; i++)
        printf(" %s", commands[i]->name);
}

static bool is_json(const struct flag *flag)
{
    return strcmp(flag->name, "--json") == 0;
}

static void put_bash_flag(const struct command *command, const struct flag *flag)
{
    (void)command;
    printf(" %s%s", flag->name, is_json(flag) ? " --json=schema" : "");
}

// Where nothing is offered, names of files are, by the shell itself.
static void print_bash(void)
{
    size_t n;
    const struct command *const *commands = cli_commands(&n);
    fputs("# bash completion for tramline\n_tramline()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[1]} offered=\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
          "        offered='help --help --version",
          stdout);
    put_names();
    fputs("'\n    elif [ \"${COMP_WORDS[COMP_CWORD-1]}\" = --log-level ]; then\n"
          "        offered='debug info warn error'\n"
          "    elif [[ \" ${COMP_WORDS[*]:COMP_CWORD-2:3}\" == *' --json ='* ]]; then\n"
          "        offered=schema word=${word#=}\n"
          "    elif [[ $word == -* ]]; then\n        case $name in\n",
          stdout);
    for (size_t i = 0; i < n; i++) {
        printf("        %s) offered='", commands[i]->name);
        each_flag(commands[i], put_bash_flag);
        puts("' ;;");
    }
    fputs("        esac\n    elif [ \"$COMP_CWORD\" = 2 ]; then\n        case $name in\n"
          "        help) offered='sql",
          stdout);
    put_names();
    puts("' ;;");
    for (size_t i = 0; i < n; i++)
        if (commands[i]->words != NULL)
            printf("        %s) offered='%s' ;;\n", commands[i]->name,
                   commands[i]->words);
    puts("        esac\n    fi\n"
         "    [ -z \"$offered\" ] ||\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$offered\" -- \"$word\")\n}\n"
         "complete -o bashdefault -o default -F _tramline tramline");
}

static void put_zsh_flag(const struct command *command, const struct flag *flag)
{
    (void)command;
    printf(" \\\n                '%s%s[", flag->name,
           flag->argument  ? "="
           : is_json(flag) ? "=-"
                           : "");
    put_quoted(flag->help, "[]:\\");
    putchar(']');
    if (strcmp(flag->name, "--log-level") == 0)
        fputs(":level:(debug info warn error)", stdout);
    else if (is_json(flag))
        fputs("::schema:(schema)", stdout);
    else if (flag->argument != NULL)
        printf(":%s:_files", flag->argument);
    putchar('\'');
}

static void print_zsh(void)
{
    size_t n;
    const struct command *const *commands = cli_commands(&n);
    puts("#compdef tramline\n_tramline() {\n    local -a commands=(");
    for (size_t i = 0; i < n; i++) {
        printf("        '%s:", commands[i]->name);
        put_quoted(commands[i]->about, ":\\");
        puts("'");
    }
    puts("    )\n    if (( CURRENT == 2 )); then\n"
         "        _describe command commands\n        return\n    fi\n"
         "    local name=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
         "    case $name in\n"
         "        help) _describe command commands ;;");
    for (size_t i = 0; i < n; i++) {
        printf("        %s) _arguments", commands[i]->name);
        each_flag(commands[i], put_zsh_flag);
        if (commands[i]->words != NULL)
            printf(" \\\n                '1:kind:(%s)'", commands[i]->words);
        puts(" \\\n                '*:file:_files' ;;");
    }
    puts("    esac\n}\n_tramline \"$@\"");
}

static void put_fish_flag(const struct command *command, const struct flag *flag)
{
    printf("complete -c tramline -n '__fish_seen_subcommand_from %s' -l %s%s -d '",
           command->name, flag->name + 2, flag->argument ? " -r" : "");
    for (const char *c = flag->help; *c; c++) // fish knows \' and \\ within '...'
        printf("%s%c", *c == '\'' || *c == '\\' ? "\\" : "", *c);
    printf("'%s\n", strcmp(flag->name, "--log-level") == 0
                        ? " -fa 'debug info warn error'"
                    : is_json(flag) ? " -fa schema"
                                    : "");
}

static void print_fish(void)
{
    size_t n;
    const struct command *const *commands = cli_commands(&n);
    puts("# fish completion for tramline");
    for (size_t i = 0; i < n; i++) {
        printf("complete -c tramline -n __fish_use_subcommand -f -a %s -d '",
               commands[i]->name);
        put_quoted(commands[i]->about, "");
        puts("'");
        each_flag(commands[i], put_fish_flag);
        if (commands[i]->words != NULL)
            printf("complete -c tramline -n '__fish_seen_subcommand_from %s' -fa '%s'\n",
                   commands[i]->name, commands[i]->words);
    }
}

enum status completion_print(const char *shell, struct err *err)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (strcmp(shell, shells[i].shell) == 0) {
            shells[i].print();
            return ST_OK;
        }
    return err_set(err, ST_USAGE,
                   "there is no completion for '%s'; bash, zsh and fish have one", shell);
}
