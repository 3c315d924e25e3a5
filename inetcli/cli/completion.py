"""`inetcli completion SHELL`: the script that makes TAB work. It asks `inetcli` itself; no protocol is imported."""

import click


@click.command("completion", short_help="Print the completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      inetcli completion bash > ~/.local/share/bash-completion/completions/inetcli
      inetcli completion zsh > ~/.zfunc/_inetcli
      inetcli completion fish > ~/.config/fish/completions/inetcli.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    root = ctx.find_root().command
    match shell:
        case "bash":
            # Not source(): that starts bash to look at its version.
            script = BashComplete(root, {}, "inetcli", "_INETCLI_COMPLETE")
            click.echo(script.source_template % script.source_vars())
        case "zsh":
            click.echo(ZshComplete(root, {}, "inetcli", "_INETCLI_COMPLETE").source())
        case _:
            click.echo(FishComplete(root, {}, "inetcli", "_INETCLI_COMPLETE").source())
