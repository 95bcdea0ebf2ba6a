"""First names that are common in many countries and rarely ordinary words; general knowledge, no data set."""

from __future__ import annotations

from typing import Final

FIRST_NAMES: Final = frozenset(
    """
    james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony steven paul andrew joshua kenneth kevin brian george timothy ronald
    edward jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander patrick raymond jerry dennis tyler aaron jose
    adam nathan henry douglas zachary peter kyle noah ethan jeremy walter christian keith roger terry austin sean gerald carl harold dylan arthur lawrence jordan jesse bryan billy
    bruce gabriel joe logan alan juan albert willie elijah wayne randy vincent mason roy ralph bobby russell bradley philip eugene louis harry martin oliver leo liam lucas
    mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily donna michelle carol amanda melissa deborah
    stephanie rebecca sharon laura cynthia dorothy amy kathleen angela shirley emma brenda pamela nicole anna samantha katherine christine debra rachel carolyn janet maria olivia
    heather helen catherine diane julie victoria joyce lauren kelly christina ruth joan virginia judith evelyn hannah andrea megan cheryl jacqueline madison teresa abigail sophia
    martha sara gloria janice kathryn ann isabella judy charlotte julia amber alice jean denise frances danielle marilyn natalie beverly diana brittany theresa kayla alexis doris
    lori tiffany ava mia amelia isla poppy freya florence sienna daisy phoebe evie millie harriet imogen georgia niamh siobhan aoife ciara sinead fiona moira eilidh rhys owen dylan
    gareth ieuan callum hamish angus ewan alistair duncan declan cormac eoin padraig conor cian nigel clive trevor graham stuart geoffrey rupert hugo felix jasper toby alfie
    hans klaus jürgen juergen dieter wolfgang heinz helmut manfred uwe stefan andreas matthias markus sebastian tobias florian lukas jonas felix maximilian moritz niklas finn
    ursula monika petra renate sabine brigitte heike ingrid karin birgit silke anja katrin tanja claudia susanne martina gisela helga hannelore lena lea marlene johanna franziska
    wilhelm friedrich gerhard günther günter rainer bernd jörg ralf torsten thorsten sven kai lars jens holger steffen dirk frank anneliese gertrud waltraud hildegard edeltraud
    jean pierre michel andré philippe alain bernard jacques françois christophe laurent nicolas julien guillaume thierry sébastien olivier frédéric stéphane pascal yves rené
    marie nathalie isabelle sylvie catherine françoise martine monique valérie sandrine céline aurélie émilie camille chloé manon léa juliette margaux élodie océane lucie
    jules gabin raphaël théo timothée mathis enzo hugo baptiste antoine maxime clément benoît gaston étienne honoré agathe amélie adèle clémence éléonore geneviève solène
    josé antonio manuel francisco juan javier carlos jesús miguel ángel pedro alejandro luis fernando sergio pablo jorge alberto álvaro diego raúl rubén enrique ramón vicente
    maría carmen josefa isabel dolores pilar teresa rosa cristina marta lucía paula elena raquel beatriz rocío inmaculada consuelo esperanza guadalupe ximena valentina camila
    joão antónio paulo rui tiago gonçalo rafael thiago gustavo felipe bruno rodrigo leonardo vinícius caio otávio joana beatriz mariana carolina inês letícia larissa juliana
    fernanda gabriela renata luciana vanessa aline camila débora heloísa luana yasmin lívia isadora davi heitor enzo murilo benício cauã matheus lorenzo
    giuseppe giovanni antonio mario luigi francesco angelo vincenzo salvatore domenico marco andrea alessandro matteo lorenzo davide riccardo simone federico stefano paolo giorgio
    giulia chiara francesca alessandra elisa federica silvia martina sofia ginevra aurora alessia giorgia beatrice arianna noemi ludovica manlio liviana leone
    jan johan pieter willem hendrik cornelis gerrit dirk maarten jeroen bas sander joost thijs daan sem bram anneke marijke femke sanne lotte fleur mieke saskia maaike aantje
    lars anders per karl nils johan mikael magnus gustav oskar viktor axel björn erik bengt göran håkan åke lennart torbjörn åsa anna eva karin kristina birgitta ingrid elin
    malin astrid linnea ebba saga kari liv solveig randi bjørn ole knut arne geir odd svein trond øyvind håvard mette kirsten hanne lone bente jette søren jørgen niels henrik
    mikkel rasmus frederik kjeld preben emilie juhani matti timo jukka pekka antti heikki mikko jari sari päivi tiina anneli kaarina liisa aino eino väinö toivo eero
    jan andrzej piotr krzysztof stanisław tomasz paweł marcin michał grzegorz wojciech zbigniew jerzy tadeusz łukasz jakub mateusz anna maria katarzyna małgorzata agnieszka
    barbara ewa krystyna elżbieta joanna zofia wisława jadwiga halina danuta magdalena beata dorota jiří petr josef pavel martin tomáš jaroslav miroslav zdeněk václav lenka
    jana hana věra zuzana kateřina růžena ludmila istván lászló józsef jános zoltán sándor gábor ferenc attila zsolt krisztián mária erzsébet katalin ilona éva szabina
    ion gheorghe vasile constantin mihai andrei alexandru ştefan ștefan cristian adrian elena ioana andreea mihaela daniela ivan dmitri dmitry sergei sergey vladimir alexei
    nikolai mikhail andrei igor oleg yuri boris pavel anatoly anastasia ekaterina natalia tatiana svetlana olga irina ludmila galina oksana yulia
    иван дмитрий сергей владимир алексей николай михаил андрей игорь олег юрий борис павел анастасия екатерина наталья татьяна светлана ольга ирина людмила галина юлия анна
    мария елена александр максим артём тарас богдан оксана соломія
    dimitris giorgos yannis nikos kostas panagiotis vasilis eleni katerina sofia γιώργος γιάννης δημήτρης νίκος μαρία ελένη κατερίνα
    mehmet mustafa ahmet ali hüseyin hasan ibrahim ismail osman murat fatma ayşe emine hatice zeynep elif meryem özlem gizem büşra
    mohammed mohamed muhammad ahmed mahmoud omar khaled hassan hussein youssef tariq bilal karim rashid salim fatima aisha layla mariam noor zainab khadija yasmin amina
    raj rajesh suresh ramesh mahesh amit anil sunil vijay sanjay ravi arjun rahul rohan vikram aditya karthik priya pooja neha anjali kavita sunita lakshmi deepika shreya divya
    meera aarav vivaan ananya ishaan manthan venkatesh subramaniam harpreet gurpreet jaspreet
    hiroshi takashi kenji takeshi satoshi yuki haruto sota daiki yuko keiko naoko akiko yumi sakura haruka tomomi chise kazuo takumi ayumi
    wei jing min-jun ji-hoon seo-yeon minh nguyen linh thuy huong somchai siti nurul budi dewi agus putri eko
    kwame kofi ama akua chidi chinedu emeka ngozi amara oluwaseun adebayo folake thabo sipho nomvula lerato wanjiru kamau njeri
    yosef moshe avraham yitzhak rivka tamar noa shira eitan itai
    yuri selina halldór todd dreux christin krzysztof bertram kurt otto ernst josef franz ludwig sigrid gudrun halina zbigniew vytautas jonas rasa daiva jānis līga kristīne toomas tiit mehrudin
    zoe zoë chloe gemma tracey shaun kieran lewis darren gavin craig marcus damian dominic fabian julian adrian jared dustin trent brent chad derek glen glenda ross spencer travis
    tanya natasha nadia sonia monica veronica erica jenna leah molly caitlin bethany holly jill gail lynn marcia phyllis rhonda yvonne yolanda latoya keisha tamika darnell
    """.split()  # noqa: SIM905  a word list reads better so
) - frozenset(
    [
        "may",
        "will",
        "mark",
        "grace",
        "rose",
        "hope",
        "faith",
        "joy",
        "summer",
        "autumn",
        "dawn",
        "april",
        "june",
        "august",
        "art",
        "bill",
        "rich",
        "frank",
        "christian",
        "jordan",
        "austin",
        "georgia",
        "virginia",
        "sara",
        "aurora",
        "leo",
        "mason",
        "logan",
        "per",
        "odd",
        "min",
        "ali",
        "ion",
        "eva",
        "lea",
        "liv",
        "saga",
        "daisy",
        "poppy",
        "amber",
        "angel",
        "mercedes",
        "victoria",
        "florence",
        "paris",
        "madison",
        "charlotte",
        "chad",
        "kai",
        "noor",
        "raj",
        "eko",
        "sem",
        "bas",
        "tit",
        "jose",
        "jean",
        "ama",
        "dirk",
        "simone",
        "andrea",
        "leone",
        "jan",
        "ann",
    ]
)
